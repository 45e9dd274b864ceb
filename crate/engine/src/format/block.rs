//! A block format: size, decode, the processor's tiles, a GPU's planes.

use super::planes::Planes;

/// A block format: `WIDTH` neighbouring weights of a row in `BYTES` bytes of the file.
pub trait Block {
    /// Weights of a block.
    const WIDTH: usize;
    /// Bytes of a block.
    const BYTES: usize;

    /// The weights of one block, (WIDTH,).
    fn decode(block: &[u8], out: &mut [f32]);

    /// Writes one block to a GPU's planes, from the planes' first column on.
    fn to_planes(block: &[u8], planes: &mut Planes);
}

/// A format that the processor's kernels multiply in tiles.
pub trait TileBlock: Block {
    /// The tiles that it goes to; a tile's columns divide `WIDTH`.
    type Tile: Tile;

    /// Writes one block, a part of row `lane`, to the tiles that cover its columns.
    fn to_tiles(block: &[u8], lane: usize, tiles: &mut [Self::Tile]);
}

/// A tile: eight rows of a few columns, interleaved, of which a packed matrix is made.
pub trait Tile: Clone {
    /// All weights zero.
    const ZERO: Self;

    /// The weights of row `lane`, (TILE_COLUMNS,).
    fn decode(&self, lane: usize, out: &mut [f32]);
}
