//! Q4_1: `w = d · q + m`. The low nibbles of the 16 bytes are elements 0–15 of the block, the high ones 16–31.

use super::bits::nibble;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile4;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q4_1 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// Minimum, half precision.
    pub m: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<Q4_1>() == 20);

impl Quantized for Q4_1 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile4;

    fn scale(block: &[u8], _: usize) -> (f32, f32) {
        (half_at(block, 0), half_at(block, 2))
    }

    fn code(block: &[u8], index: usize) -> u8 {
        nibble(&block[4..], index)
    }
}

impl PlaneBlock for Q4_1 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::four_bits);
    }
}
