//! Q3_K: `w = d · (scale − 32) · (q − 4)`, with a scale of six bits for every 16. The third bit of element `i` is bit
//! `i / 32` of byte `i % 32` of `high`.

use super::bits::two_bits;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::Tile3;

/// A block as it lies in the file.
#[repr(C)]
pub struct Q3_K {
    /// Third bits.
    pub high: [u8; 32],
    /// Lower two bits.
    pub low: [u8; 64],
    /// Sixteen scales: nibbles of the first eight bytes, the low ones first; two bits each of the other four.
    pub scales: [u8; 12],
    /// Scale of the scales, half precision.
    pub d: [u8; 2],
}

const _: () = assert!(size_of::<Q3_K>() == 110);

/// Difference of a quant and its weight over the scale.
const CENTRE: f32 = 4.0;

impl Quantized for Q3_K {
    const WIDTH: usize = 256;
    const BYTES: usize = size_of::<Self>();
    type Tile = Tile3;

    fn scale(block: &[u8], step: usize) -> (f32, f32) {
        let scales = &block[96..];
        let low = scales[step % 8] >> (step / 8 * 4) & 15;
        let high = scales[8 + step % 4] >> (step / 4 * 2) & 3;
        let d = half_at(block, 108) * (f32::from(low | high << 4) - 32.0);
        (d, -CENTRE * d)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        let high = block[index % 32] >> (index / 32) & 1;
        two_bits(&block[32..], index) | high << 2
    }
}

impl PlaneBlock for Q3_K {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::three_bits);
    }
}
