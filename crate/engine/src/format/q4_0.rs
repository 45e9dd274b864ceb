//! Q4_0: `w = d · (q − 8)`. The low nibbles of the 16 bytes are elements 0–15 of the block, the high ones 16–31.

use super::bits::nibble;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile4Centred;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q4_0 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<Q4_0>() == 18);

/// Difference of a nibble and its weight over the scale.
const CENTRE: f32 = 8.0;

impl Quantized for Q4_0 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile4Centred;

    fn scale(block: &[u8], _: usize) -> (f32, f32) {
        let d = half_at(block, 0);
        (d, -CENTRE * d)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        nibble(&block[2..], index)
    }
}

impl PlaneBlock for Q4_0 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::four_bits);
    }
}
