//! A block format: size, decode, the processor's tiles.

use super::quants::TILE_COLUMNS;

/// A block format: `WIDTH` neighbouring weights of a row in `BYTES` bytes of the file.
pub trait Block {
    /// Weights of a block.
    const WIDTH: usize;
    /// Bytes of a block.
    const BYTES: usize;

    /// The weights of one block, (WIDTH,).
    fn decode(block: &[u8], out: &mut [f32]);
}

/// A format whose blocks hold small integers and, for each few of them, a scale and a minimum:
/// `w = d · value(code) + m`.
pub trait Quantized {
    /// Weights of a block, a multiple of a tile's columns.
    const WIDTH: usize;
    /// Bytes of a block.
    const BYTES: usize;
    /// The tiles that the processor's kernels multiply.
    type Tile: Tile;
    /// Weights that share a scale.
    const STEP: usize = TILE_COLUMNS / Self::Tile::PARTS;

    /// Scale and minimum of the weights `step · STEP..`.
    fn scale(block: &[u8], step: usize) -> (f32, f32);

    /// The bits that are stored for weight `index`.
    fn code(block: &[u8], index: usize) -> u8;

    /// The integer that a code stands for.
    fn value(code: u8) -> i8 {
        Self::Tile::value(code)
    }
}

impl<Q: Quantized> Block for Q {
    const WIDTH: usize = Q::WIDTH;
    const BYTES: usize = Q::BYTES;

    fn decode(block: &[u8], out: &mut [f32]) {
        for (step, out) in out.chunks_exact_mut(Q::STEP).enumerate() {
            let (d, m) = Q::scale(block, step);
            for (index, out) in out.iter_mut().enumerate() {
                *out = d * f32::from(Q::value(Q::code(block, step * Q::STEP + index))) + m;
            }
        }
    }
}

/// A tile: eight rows of 32 columns, interleaved, of which a packed matrix is made.
pub trait Tile: Clone {
    /// All weights zero.
    const ZERO: Self;

    /// Runs of columns that have a scale of their own.
    const PARTS: usize;

    /// The integer that a code stands for.
    fn value(code: u8) -> i8;

    /// Fills row `lane`, which is zero: scale and minimum of each part, and the codes of all columns.
    fn set(&mut self, lane: usize, scale: impl Fn(usize) -> (f32, f32), code: impl Fn(usize) -> u8);

    /// Whether a scale is beyond what it is stored as.
    fn overflowed(&self) -> bool;

    /// The weights of row `lane`, (TILE_COLUMNS,).
    fn decode(&self, lane: usize, out: &mut [f32]);
}
