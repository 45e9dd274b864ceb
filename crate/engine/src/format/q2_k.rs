//! Q2_K: `w = d · scale · q − dmin · minimum`, with a scale and a minimum for every 16.

use super::bits::two_bits;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile2;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q2_K {
    /// Sixteen scales, the low nibbles, and minima, the high ones.
    pub scales: [u8; 16],
    /// 256 times two bits.
    pub quants: [u8; 64],
    /// Scale of the scales, half precision.
    pub d: [u8; 2],
    /// Scale of the minima, half precision.
    pub dmin: [u8; 2],
}

const _: () = assert!(size_of::<Q2_K>() == 84);

impl Quantized for Q2_K {
    const WIDTH: usize = 256;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile2;

    fn scale(block: &[u8], step: usize) -> (f32, f32) {
        let scale = f32::from(block[step] & 15);
        let minimum = f32::from(block[step] >> 4);
        (half_at(block, 80) * scale, -half_at(block, 82) * minimum)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        two_bits(&block[16..], index)
    }
}

impl PlaneBlock for Q2_K {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::two_bits);
    }
}
