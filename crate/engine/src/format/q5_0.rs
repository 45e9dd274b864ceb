//! Q5_0: `w = d · (q − 16)`. Nibbles as in Q4_0; the fifth bit of element `i` is bit `i` of `high`.

use super::bits::{bit, nibble};
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile5Centred;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q5_0 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// Fifth bits.
    pub high: [u8; 4],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<Q5_0>() == 22);

/// Difference of a quant and its weight over the scale.
const CENTRE: f32 = 16.0;

impl Quantized for Q5_0 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile5Centred;

    fn scale(block: &[u8], _: usize) -> (f32, f32) {
        let d = half_at(block, 0);
        (d, -CENTRE * d)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        nibble(&block[6..], index) | bit(&block[2..], index) << 4
    }
}

impl PlaneBlock for Q5_0 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::five_bits);
    }
}
