//! Q5_K: as Q4_K, with a fifth bit: of element `i` it is bit `i / 32` of byte `i % 32` of `high`.

use super::bits::scale_and_minimum;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile5;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q5_K {
    /// Scale of the scales, half precision.
    pub d: [u8; 2],
    /// Scale of the minima, half precision.
    pub dmin: [u8; 2],
    /// Eight scales and minima of six bits.
    pub scales: [u8; 12],
    /// Fifth bits.
    pub high: [u8; 32],
    /// 256 nibbles.
    pub quants: [u8; 128],
}

const _: () = assert!(size_of::<Q5_K>() == 176);

impl Quantized for Q5_K {
    const WIDTH: usize = 256;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile5;

    fn scale(block: &[u8], step: usize) -> (f32, f32) {
        let (scale, minimum) = scale_and_minimum(&block[4..], step);
        (half_at(block, 0) * f32::from(scale), -half_at(block, 2) * f32::from(minimum))
    }

    fn code(block: &[u8], index: usize) -> u8 {
        let byte = block[48 + index / 64 * 32 + index % 32];
        let high = block[16 + index % 32] >> (index / 32) & 1;
        byte >> (index % 64 / 32 * 4) & 15 | high << 4
    }
}

impl PlaneBlock for Q5_K {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::five_bits);
    }
}
