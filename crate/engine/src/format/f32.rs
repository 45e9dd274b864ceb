//! F32: a float a weight.

use super::block::Block;
use super::planes::{PlaneBlock, Planes};

/// A weight as it lies in the file.
#[repr(C)]
pub struct F32(pub [u8; 4]);

const _: () = assert!(size_of::<F32>() == 4);

impl Block for F32 {
    const WIDTH: usize = 1;
    const BYTES: usize = size_of::<Self>();

    fn decode(block: &[u8], out: &mut [f32]) {
        out[0] = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
    }
}

impl PlaneBlock for F32 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.float(block);
    }
}
