//! Q6_K: `w = d · scale · (q − 32)`, with a scale for every 16. Of every 128 elements, the low nibbles of 64 bytes are
//! the first 64, the high ones the others; the upper two bits lie in 32 bytes, those of 32 elements beside each other.

use super::bits::two_bits;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile6;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q6_K {
    /// 256 nibbles.
    pub low: [u8; 128],
    /// The upper two bits.
    pub high: [u8; 64],
    /// Sixteen signed scales.
    pub scales: [i8; 16],
    /// Scale of the scales, half precision.
    pub d: [u8; 2],
}

const _: () = assert!(size_of::<Q6_K>() == 210);

/// Difference of a quant and its weight over the scale.
const CENTRE: f32 = 32.0;

impl Quantized for Q6_K {
    const WIDTH: usize = 256;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile6;

    fn scale(block: &[u8], step: usize) -> (f32, f32) {
        let d = half_at(block, 208) * f32::from(block[192 + step] as i8);
        (d, -CENTRE * d)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        let low = block[index / 128 * 64 + index % 64] >> (index % 128 / 64 * 4) & 15;
        low | two_bits(&block[128..], index) << 4
    }
}

impl PlaneBlock for Q6_K {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::six_bits);
    }
}
