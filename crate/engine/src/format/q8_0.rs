//! Q8_0: `w = d · q`.

use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile8;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q8_0 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// 32 signed bytes.
    pub quants: [i8; 32],
}

const _: () = assert!(size_of::<Q8_0>() == 34);

impl Quantized for Q8_0 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile8;

    fn scale(block: &[u8], _: usize) -> (f32, f32) {
        (half_at(block, 0), 0.0)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        block[2 + index]
    }
}

impl PlaneBlock for Q8_0 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::eight_bits);
    }
}
