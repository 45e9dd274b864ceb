//! Q4_0: `w = d · (q − 8)`. The low nibbles of the 16 bytes are elements 0–15 of the block, the high ones 16–31.

use super::block::{Block, TileBlock};
use super::half::half_at;
use super::planes::Planes;
use super::tile::{Tile4, nibble};

/// A block as it lies in the file.
#[repr(C)]
pub struct Q4_0 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; 16],
}

const _: () = assert!(size_of::<Q4_0>() == 18);

/// Difference of a nibble and its weight over the scale.
const CENTRE: f32 = 8.0;

impl Block for Q4_0 {
    const WIDTH: usize = 32;
    const BYTES: usize = size_of::<Self>();

    fn decode(block: &[u8], out: &mut [f32]) {
        let d = half_at(block, 0);
        for (index, out) in out.iter_mut().enumerate() {
            *out = d * (f32::from(nibble(&block[2..], index)) - CENTRE);
        }
    }

    fn to_planes(block: &[u8], planes: &mut Planes) {
        let d = half_at(block, 0);
        planes.scale(d, -CENTRE * d);
        planes.quants(&block[2..]);
    }
}

impl TileBlock for Q4_0 {
    type Tile = Tile4;

    fn to_tiles(block: &[u8], lane: usize, tiles: &mut [Tile4]) {
        let d = half_at(block, 0);
        tiles[0].set(lane, d, -CENTRE * d, |column| nibble(&block[2..], column));
    }
}
