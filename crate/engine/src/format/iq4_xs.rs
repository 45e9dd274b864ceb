//! IQ4_XS: `w = d · (scale − 32) · codebook[q]`, with a scale of six bits for every 32. Nibbles as in Q4_0, 16 bytes after 16.

use super::bits::nibble;
use super::block::Quantized;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};
use super::tile::TileCoded;

/// A block as it lies in the file.
#[repr(C)]
pub struct IQ4_XS {
    /// Scale of the scales, half precision.
    pub d: [u8; 2],
    /// Upper two bits of the eight scales.
    pub scales_high: [u8; 2],
    /// Their low nibbles.
    pub scales_low: [u8; 4],
    /// 256 nibbles.
    pub quants: [u8; 128],
}

const _: () = assert!(size_of::<IQ4_XS>() == 136);

impl Quantized for IQ4_XS {
    const WIDTH: usize = 256;
    const BYTES: usize = size_of::<Self>();
    type Tile = TileCoded;

    fn scale(block: &[u8], step: usize) -> (f32, f32) {
        let high = block[2 + step / 4] >> (step % 4 * 2) & 3;
        let low = block[4 + step / 2] >> (step % 2 * 4) & 15;
        (half_at(block, 0) * (f32::from(low | high << 4) - 32.0), 0.0)
    }

    fn code(block: &[u8], index: usize) -> u8 {
        nibble(&block[8 + index / 32 * 16..], index % 32)
    }
}

impl PlaneBlock for IQ4_XS {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.block::<Self>(block, Planes::four_bits);
    }
}
