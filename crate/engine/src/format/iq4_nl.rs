//! IQ4_NL: `w = d · codebook[q]`. Nibbles as in Q4_0.

use super::bits::nibble;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::TileCoded;

/// A block as it lies in the file.
#[repr(C)]
pub struct IQ4_NL {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<IQ4_NL>() == 18);

impl Quantized for IQ4_NL {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();
    type Tile = TileCoded;

    fn scale(block: &[u8], _: usize) -> (f32, f32) {
        (half_at(block, 0), 0.0)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        nibble(&block[2..], index)
    }
}

impl PlaneBlock for IQ4_NL {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::four_bits);
    }
}
