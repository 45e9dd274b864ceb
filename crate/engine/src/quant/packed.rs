//! Packed layouts: eight rows interleaved, so that one vector holds the same columns of several rows, and
//! scales beside the quants they belong to: kernels read one stream front to back.
//!
//! [`Cell4`] holds 8 rows × 32 columns as four runs of 32 bytes; in run `j`, byte `4·row + c` holds column
//! `8j + c` in its low and `8j + 4 + c` in its high nibble. Read as 16-bit lanes, the four nibble planes of a
//! run are the column pairs (0,2), (4,6), (1,3), (5,7); read as bytes, its low and high nibbles are four
//! consecutive columns: one layout serves multiply-add of 16-bit pairs (`simd128`, `avx2`) and four-byte dot
//! products alike.
//!
//! [`Cell8`] holds runs of four columns: byte `4·row + c` is column `4j + c`.
//!
//! Scales stay halves, so that decoding reads no more than the file holds. A kernel takes them over
//! [`REBIAS`](super::REBIAS), which the activations' scales bring along: a half's bits only move into a float's places.

use super::BLOCK;
use super::block::{BlockQ4_0, BlockQ4_1, BlockQ8_0, Nibbles, half_at};
use super::{f16_to_f32, f32_to_f16};

/// Rows interleaved in one group.
pub const GROUP: usize = 8;

/// Eight rows × 32 columns of 4-bit weights, `w = d · q + m`.
#[derive(Clone)]
#[repr(C, align(32))]
pub struct Cell4 {
    /// Scale of each row, a half.
    pub d: [u16; GROUP],
    /// Minimum of each row, a half.
    pub m: [u16; GROUP],
    /// Four runs of 32 bytes.
    pub nibbles: [u8; GROUP * BLOCK / 2],
}

/// Eight rows × 32 columns of 8-bit weights, `w = d · q`.
#[derive(Clone)]
#[repr(C, align(16))]
pub struct Cell8 {
    /// Scale of each row, a half.
    pub d: [u16; GROUP],
    /// Eight runs of 32 bytes.
    pub quants: [i8; GROUP * BLOCK],
}

const _: () = assert!(size_of::<Cell4>() == 160);
const _: () = assert!(size_of::<Cell8>() == 272);

impl Cell4 {
    const ZERO: Self = Self { d: [0; GROUP], m: [0; GROUP], nibbles: [0; GROUP * BLOCK / 2] };

    /// Quant of row `lane` at `column`, 0..=15.
    #[inline]
    pub fn quant(&self, lane: usize, column: usize) -> u8 {
        let byte = self.nibbles[column / 8 * 32 + lane * 4 + column % 4];
        if column % 8 < 4 { byte & 0x0f } else { byte >> 4 }
    }
}

impl Cell8 {
    const ZERO: Self = Self { d: [0; GROUP], quants: [0; GROUP * BLOCK] };

    /// Quant of row `lane` at `column`.
    #[inline]
    pub fn quant(&self, lane: usize, column: usize) -> i8 {
        self.quants[column / 4 * 32 + lane * 4 + column % 4]
    }
}

/// A matrix of cells, (groups of eight rows, blocks of 32 columns); rows are padded with zeros to whole groups.
pub struct Packed<Cell> {
    pub(crate) rows: usize,
    pub(crate) blocks: usize,
    pub(crate) cells: Vec<Cell>,
}

/// A 4-bit matrix.
pub type Packed4 = Packed<Cell4>;

/// An 8-bit matrix.
pub type Packed8 = Packed<Cell8>;

impl<Cell> Packed<Cell> {
    /// An empty matrix with room for `rows` × `cols`; `cols` is a multiple of 32.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let blocks = cols / BLOCK;
        Self { rows: 0, blocks, cells: Vec::with_capacity(rows.div_ceil(GROUP) * blocks) }
    }

    /// Groups of eight rows.
    pub fn groups(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// The cells of one group, block by block.
    #[inline]
    pub(crate) fn group(&self, group: usize) -> &[Cell] {
        &self.cells[group * self.blocks..][..self.blocks]
    }
}

/// Which 4-bit format the source blocks have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source4 {
    /// Scale only, quants centred on 8.
    Q4_0,
    /// Scale and minimum.
    Q4_1,
}

impl Source4 {
    /// Bytes of one block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::Q4_0 => size_of::<BlockQ4_0>(),
            Self::Q4_1 => size_of::<BlockQ4_1>(),
        }
    }
}

impl Packed4 {
    /// Appends up to [`GROUP`] rows from the file's bytes; fewer only at the end of the matrix.
    pub fn push_group(&mut self, source: Source4, raw: &[u8]) {
        let row_bytes = self.blocks * source.block_bytes();
        let rows = raw.len() / row_bytes;
        assert!(rows <= GROUP && self.rows.is_multiple_of(GROUP), "groups are pushed whole, in order");
        for block in 0..self.blocks {
            let mut cell = Cell4::ZERO;
            for lane in 0..rows {
                let bytes = &raw[lane * row_bytes + block * source.block_bytes()..];
                let from = match source {
                    Source4::Q4_0 => Nibbles::q4_0(bytes),
                    Source4::Q4_1 => Nibbles::q4_1(bytes),
                };
                (cell.d[lane], cell.m[lane]) = (f32_to_f16(from.d), f32_to_f16(from.m));
                for (run, nibbles) in cell.nibbles.chunks_exact_mut(32).enumerate() {
                    for (c, byte) in nibbles[lane * 4..][..4].iter_mut().enumerate() {
                        *byte = from.quant(run * 8 + c) | (from.quant(run * 8 + 4 + c) << 4);
                    }
                }
            }
            self.cells.push(cell);
        }
        self.rows += rows;
    }

    /// Writes row `row`, dequantised, to `out` (cols,).
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        let lane = row % GROUP;
        for (cell, out) in self.group(row / GROUP).iter().zip(out.chunks_exact_mut(BLOCK)) {
            let (d, m) = (f16_to_f32(cell.d[lane]), f16_to_f32(cell.m[lane]));
            for (column, out) in out.iter_mut().enumerate() {
                *out = d * f32::from(cell.quant(lane, column)) + m;
            }
        }
    }
}

impl Packed8 {
    /// Appends up to [`GROUP`] rows from the file's bytes; fewer only at the end of the matrix.
    pub fn push_group(&mut self, raw: &[u8]) {
        let row_bytes = self.blocks * size_of::<BlockQ8_0>();
        let rows = raw.len() / row_bytes;
        assert!(rows <= GROUP && self.rows.is_multiple_of(GROUP), "groups are pushed whole, in order");
        for block in 0..self.blocks {
            let mut cell = Cell8::ZERO;
            for lane in 0..rows {
                let bytes = &raw[lane * row_bytes + block * size_of::<BlockQ8_0>()..];
                cell.d[lane] = f32_to_f16(half_at(bytes, 0));
                for (column, &quant) in bytes[2..2 + BLOCK].iter().enumerate() {
                    cell.quants[column / 4 * 32 + lane * 4 + column % 4] = quant as i8;
                }
            }
            self.cells.push(cell);
        }
        self.rows += rows;
    }

    /// Writes row `row`, dequantised, to `out` (cols,).
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        let lane = row % GROUP;
        for (cell, out) in self.group(row / GROUP).iter().zip(out.chunks_exact_mut(BLOCK)) {
            let d = f16_to_f32(cell.d[lane]);
            for (column, out) in out.iter_mut().enumerate() {
                *out = d * f32::from(cell.quant(lane, column));
            }
        }
    }
}
