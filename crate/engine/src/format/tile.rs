//! Tiles: eight rows × 32 columns interleaved, so that one vector holds the same columns of several rows, with scales
//! beside the quants they belong to: kernels read one stream front to back.
//!
//! [`Tile4`] holds four runs of 32 bytes; in run `j`, byte `4·row + c` holds column `8j + c` in its low and
//! `8j + 4 + c` in its high nibble. Read as 16-bit lanes, the four nibble planes of a run are the column pairs (0,2),
//! (4,6), (1,3), (5,7); read as bytes, its low and high nibbles are four consecutive columns: one layout serves
//! multiply-add of 16-bit pairs (`simd128`, `avx2`) and four-byte dot products alike.
//!
//! [`Tile8`] holds runs of four columns: byte `4·row + c` is column `4j + c`.
//!
//! Scales stay halves, so that decoding reads no more than the file holds. A kernel takes them over
//! [`REBIAS`](super::REBIAS), which the activations' scales bring along: a half's bits only move into a float's places.

use super::block::{Tile, TileBlock};
use super::half::{f16_to_f32, f32_to_f16};
use super::planes::GROUP;

/// Columns of a tile.
pub const TILE_COLUMNS: usize = 32;

/// Eight rows × 32 columns of 4-bit weights, `w = d · q + m`.
#[derive(Clone)]
#[repr(C, align(32))]
pub struct Tile4 {
    /// Scale of each row, a half.
    pub d: [u16; GROUP],
    /// Minimum of each row, a half.
    pub m: [u16; GROUP],
    /// Four runs of 32 bytes.
    pub nibbles: [u8; GROUP * TILE_COLUMNS / 2],
}

/// Eight rows × 32 columns of 8-bit weights, `w = d · q`.
#[derive(Clone)]
#[repr(C, align(16))]
pub struct Tile8 {
    /// Scale of each row, a half.
    pub d: [u16; GROUP],
    /// Eight runs of 32 bytes.
    pub quants: [i8; GROUP * TILE_COLUMNS],
}

const _: () = assert!(size_of::<Tile4>() == 160);
const _: () = assert!(size_of::<Tile8>() == 272);

impl Tile4 {
    /// Quant of row `lane` at `column`, 0..=15.
    #[inline]
    pub fn quant(&self, lane: usize, column: usize) -> u8 {
        let byte = self.nibbles[column / 8 * 32 + lane * 4 + column % 4];
        if column % 8 < 4 { byte & 0x0f } else { byte >> 4 }
    }

    /// Fills row `lane`, whose columns have the quants `quant`, 0..=15.
    #[inline]
    pub(super) fn set(&mut self, lane: usize, d: f32, m: f32, quant: impl Fn(usize) -> u8) {
        self.d[lane] = f32_to_f16(d);
        self.m[lane] = f32_to_f16(m);
        for (run, nibbles) in self.nibbles.chunks_exact_mut(32).enumerate() {
            for (c, byte) in nibbles[lane * 4..][..4].iter_mut().enumerate() {
                *byte = quant(run * 8 + c) | (quant(run * 8 + 4 + c) << 4);
            }
        }
    }
}

impl Tile8 {
    /// Quant of row `lane` at `column`.
    #[inline]
    pub fn quant(&self, lane: usize, column: usize) -> i8 {
        self.quants[column / 4 * 32 + lane * 4 + column % 4]
    }

    /// Fills row `lane`, whose columns have the quants `quant`.
    #[inline]
    pub(super) fn set(&mut self, lane: usize, d: f32, quant: impl Fn(usize) -> i8) {
        self.d[lane] = f32_to_f16(d);
        for column in 0..TILE_COLUMNS {
            self.quants[column / 4 * 32 + lane * 4 + column % 4] = quant(column);
        }
    }
}

impl Tile for Tile4 {
    const ZERO: Self = Self { d: [0; GROUP], m: [0; GROUP], nibbles: [0; GROUP * TILE_COLUMNS / 2] };

    fn decode(&self, lane: usize, out: &mut [f32]) {
        let d = f16_to_f32(self.d[lane]);
        let m = f16_to_f32(self.m[lane]);
        for (column, out) in out.iter_mut().enumerate() {
            *out = d * f32::from(self.quant(lane, column)) + m;
        }
    }
}

impl Tile for Tile8 {
    const ZERO: Self = Self { d: [0; GROUP], quants: [0; GROUP * TILE_COLUMNS] };

    fn decode(&self, lane: usize, out: &mut [f32]) {
        let d = f16_to_f32(self.d[lane]);
        for (column, out) in out.iter_mut().enumerate() {
            *out = d * f32::from(self.quant(lane, column));
        }
    }
}

/// A matrix of tiles, (groups of eight rows, columns / 32); rows are padded with zeros to whole groups.
pub struct Packed<T> {
    pub(crate) rows: usize,
    /// Tiles of a group.
    pub(crate) blocks: usize,
    pub(crate) tiles: Vec<T>,
}

/// A 4-bit matrix.
pub type Packed4 = Packed<Tile4>;

/// An 8-bit matrix.
pub type Packed8 = Packed<Tile8>;

impl<T: Tile> Packed<T> {
    /// An empty matrix with room for `rows` × `cols`; `cols` is a multiple of 32.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let blocks = cols / TILE_COLUMNS;
        Self { rows: 0, blocks, tiles: Vec::with_capacity(rows.div_ceil(GROUP) * blocks) }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.blocks * TILE_COLUMNS
    }

    /// Groups of eight rows.
    pub fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// The tiles of one group, block by block.
    #[inline]
    pub(crate) fn group(&self, group: usize) -> &[T] {
        &self.tiles[group * self.blocks..][..self.blocks]
    }

    /// Appends up to [`GROUP`] rows from the file's bytes; fewer only at the end of the matrix.
    pub fn push_group<B: TileBlock<Tile = T>>(&mut self, raw: &[u8]) {
        let row_bytes = self.blocks * TILE_COLUMNS / B::WIDTH * B::BYTES;
        let tiles_a_block = B::WIDTH / TILE_COLUMNS;
        let rows = raw.len() / row_bytes;
        assert!(rows <= GROUP && self.rows.is_multiple_of(GROUP), "groups are pushed whole, in order");
        let first = self.tiles.len();
        self.tiles.resize(first + self.blocks, T::ZERO);
        let tiles = self.tiles[first..].chunks_exact_mut(tiles_a_block);
        for (block, tiles) in tiles.enumerate() {
            for lane in 0..rows {
                let bytes = &raw[lane * row_bytes + block * B::BYTES..][..B::BYTES];
                B::to_tiles(bytes, lane, tiles);
            }
        }
        self.rows += rows;
    }

    /// Writes row `row`, dequantised, to `out` (cols,).
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        for (tile, out) in self.group(row / GROUP).iter().zip(out.chunks_exact_mut(TILE_COLUMNS)) {
            tile.decode(row % GROUP, out);
        }
    }
}
