//! BF16: the upper half of a float a weight, without a scale.

use super::block::Block;
use super::planes::{PlaneBlock, Planes};

/// A weight as it lies in the file.
#[repr(C)]
pub struct BF16(pub [u8; 2]);

const _: () = assert!(size_of::<BF16>() == 2);

impl Block for BF16 {
    const WIDTH: usize = 1;
    const BYTES: usize = size_of::<Self>();

    fn decode(block: &[u8], out: &mut [f32]) {
        out[0] = bf16_to_f32(u16::from_le_bytes([block[0], block[1]]));
    }
}

impl PlaneBlock for BF16 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.float(block);
    }
}

/// The float whose upper half these bits are.
#[inline(always)]
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}
