//! Q5_1: `w = d · q + m`. Nibbles as in Q4_1; the fifth bit of element `i` is bit `i` of `high`.

use super::bits::{bit, nibble};
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile5;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q5_1 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// Minimum, half precision.
    pub m: [u8; 2],
    /// Fifth bits.
    pub high: [u8; 4],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<Q5_1>() == 24);

impl Quantized for Q5_1 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile5;

    fn scale(block: &[u8], _: usize) -> (f32, f32) {
        (half_at(block, 0), half_at(block, 2))
    }

    fn code(block: &[u8], index: usize) -> u8 {
        nibble(&block[8..], index) | bit(&block[4..], index) << 4
    }
}

impl PlaneBlock for Q5_1 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::five_bits);
    }
}
