//! Q4_K: `w = d · scale · q − dmin · minimum`, with a scale and a minimum for every 32. The low nibbles of 32 bytes are 32
//! elements, the high ones the next 32.

use super::bits::scale_and_minimum;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile4;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q4_K {
    /// Scale of the scales, half precision.
    pub d: [u8; 2],
    /// Scale of the minima, half precision.
    pub dmin: [u8; 2],
    /// Eight scales and minima of six bits.
    pub scales: [u8; 12],
    /// 256 nibbles.
    pub quants: [u8; 128],
}

const _: () = assert!(size_of::<Q4_K>() == 144);

impl Quantized for Q4_K {
    const WIDTH: usize = 256;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile4;

    fn scale(block: &[u8], step: usize) -> (f32, f32) {
        let (scale, minimum) = scale_and_minimum(&block[4..], step);
        (half_at(block, 0) * f32::from(scale), -half_at(block, 2) * f32::from(minimum))
    }

    fn code(block: &[u8], index: usize) -> u8 {
        let byte = block[16 + index / 64 * 32 + index % 32];
        byte >> (index % 64 / 32 * 4) & 15
    }
}

impl PlaneBlock for Q4_K {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::four_bits);
    }
}
