//! Q4_1: `w = d · q + m`. The low nibbles of the 16 bytes are elements 0–15 of the block, the high ones 16–31.

use super::block::{Block, TileBlock};
use super::half::half_at;
use super::planes::Planes;
use super::tile::{Tile4, nibble};

/// A block as it lies in the file.
#[repr(C)]
pub struct Q4_1 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// Minimum, half precision.
    pub m: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<Q4_1>() == 20);

impl Block for Q4_1 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();

    fn decode(block: &[u8], out: &mut [f32]) {
        let d = half_at(block, 0);
        let m = half_at(block, 2);
        for (index, out) in out.iter_mut().enumerate() {
            *out = d * f32::from(nibble(&block[4..], index)) + m;
        }
    }

    fn to_planes(block: &[u8], planes: &mut Planes) {
        planes.scale(half_at(block, 0), half_at(block, 2));
        planes.quants(&block[4..]);
    }
}

impl TileBlock for Q4_1 {
    type Tile = Tile4;

    fn to_tiles(block: &[u8], lane: usize, tiles: &mut [Tile4]) {
        tiles[0].set(lane, half_at(block, 0), half_at(block, 2), |column| nibble(&block[4..], column));
    }
}
