//! F16: a half a weight, without a scale.

use super::block::Block;
use super::half::half_at;
use super::planes::{PlaneBlock, Planes};

/// A weight as it lies in the file.
#[repr(C)]
pub struct F16(pub [u8; 2]);

const _: () = assert!(size_of::<F16>() == 2);

impl Block for F16 {
    const WIDTH: usize = 1;
    const BYTES: usize = size_of::<Self>();

    fn decode(block: &[u8], out: &mut [f32]) {
        out[0] = half_at(block, 0);
    }
}

impl PlaneBlock for F16 {
    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.float(block);
    }
}
