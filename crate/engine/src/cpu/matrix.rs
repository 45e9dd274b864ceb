//! A weight matrix in whichever packed layout its format calls for.

use std::io::{Read, Seek};
use std::ops::Range;

use super::kernels::activations::{QuantizedActivations, QuantizedRows};
use super::kernels::dispatch::{Kernels, Multiplied};
use super::kernels::layout::{ACTIVATION_BLOCK, rows_of};
use super::kernels::portable;
use super::pool::DisjointSlices;
use crate::error::{Error, Result};
use crate::format::{
    Format, GROUP, IQ4_NL, IQ4_XS, Packed, Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0,
    Quantized, TILE_COLUMNS, bf16_to_f32, f16_to_f32,
};
use crate::model::weights::{Reader, Source};

/// A weight matrix (rows, cols), ready for the kernels.
pub struct Matrix(Box<dyn Weights>);

/// A batch that is multiplied: (tokens, cols) as floats, and quantised.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    /// As floats, for weights that are not quantised.
    pub(super) floats: &'a [f32],
    /// Quantised, for those that are.
    pub(super) quantized: QuantizedRows<'a>,
    /// Rows of both.
    pub(super) tokens: usize,
}

impl<'a> Input<'a> {
    /// The first `tokens` rows of `cols` columns.
    pub(super) fn new(
        floats: &'a [f32],
        quantized: &'a QuantizedActivations,
        tokens: usize,
        cols: usize,
    ) -> Self {
        Self { floats: &floats[..tokens * cols], quantized: quantized.rows(), tokens }
    }
}

/// Weights in one layout.
pub(super) trait Weights: Send + Sync {
    fn rows(&self) -> usize;
    fn cols(&self) -> usize;
    fn bytes(&self) -> usize;
    fn dequantize_row(&self, row: usize, out: &mut [f32]);

    /// `y = W·x` for the rows of `groups`, eight a group. W: (rows, cols); x: (tokens, cols); y: (tokens, rows) f32.
    ///
    /// # Safety
    /// No other thread writes these rows of `y`.
    unsafe fn multiply(&self, kernels: &Kernels, x: &Input, y: &DisjointSlices<f32>, groups: Range<usize>);
}

impl Matrix {
    /// Streams a matrix out of the file, a group of rows at a time: the file's bytes and the packed copy are never
    /// whole in memory side by side.
    ///
    /// # Errors
    /// It cannot be read, its columns are no whole blocks of activations, or a scale is beyond the largest half.
    pub fn read<R: Read + Seek>(source: &Source, reader: &mut Reader<R>) -> Result<Self> {
        match source.format {
            Format::Q4_0 => packed::<Q4_0, R>(source, reader),
            Format::Q4_1 => packed::<Q4_1, R>(source, reader),
            Format::Q5_0 => packed::<Q5_0, R>(source, reader),
            Format::Q5_1 => packed::<Q5_1, R>(source, reader),
            Format::Q8_0 => packed::<Q8_0, R>(source, reader),
            Format::Q2_K => packed::<Q2_K, R>(source, reader),
            Format::Q3_K => packed::<Q3_K, R>(source, reader),
            Format::Q4_K => packed::<Q4_K, R>(source, reader),
            Format::Q5_K => packed::<Q5_K, R>(source, reader),
            Format::Q6_K => packed::<Q6_K, R>(source, reader),
            Format::IQ4_NL => packed::<IQ4_NL, R>(source, reader),
            Format::IQ4_XS => packed::<IQ4_XS, R>(source, reader),
            Format::BF16 => plain(source, reader, |b| BF16(u16::from_le_bytes(b))),
            Format::F16 => plain(source, reader, |b| F16(u16::from_le_bytes(b))),
            Format::F32 => plain(source, reader, f32::from_le_bytes),
        }
    }

    /// A matrix of tiles that no file brought.
    pub(super) fn of_tiles<T: Multiplied>(packed: Packed<T>) -> Self {
        Self(Box::new(packed))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.0.cols()
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.0.bytes() as u64
    }

    /// Groups of [`GROUP`] rows, the last one perhaps short.
    pub fn groups(&self) -> usize {
        self.rows().div_ceil(GROUP)
    }

    /// Writes row `row`, dequantised, to `out` (cols,).
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        self.0.dequantize_row(row, out);
    }

    /// The weights in their layout.
    pub(super) fn weights(&self) -> &dyn Weights {
        self.0.as_ref()
    }
}

/// Bytes in memory of weights (rows, cols) of this format, before they are read.
pub(crate) fn packed_bytes(format: Format, rows: u64, cols: u64) -> u64 {
    fn tile<B: Quantized>() -> usize {
        size_of::<B::Tile>()
    }
    let tile = match format {
        Format::Q4_0 => tile::<Q4_0>(),
        Format::Q4_1 => tile::<Q4_1>(),
        Format::Q5_0 => tile::<Q5_0>(),
        Format::Q5_1 => tile::<Q5_1>(),
        Format::Q8_0 => tile::<Q8_0>(),
        Format::Q2_K => tile::<Q2_K>(),
        Format::Q3_K => tile::<Q3_K>(),
        Format::Q4_K => tile::<Q4_K>(),
        Format::Q5_K => tile::<Q5_K>(),
        Format::Q6_K => tile::<Q6_K>(),
        Format::IQ4_NL => tile::<IQ4_NL>(),
        Format::IQ4_XS => tile::<IQ4_XS>(),
        Format::BF16 | Format::F16 => return rows.saturating_mul(cols).saturating_mul(2),
        Format::F32 => return rows.saturating_mul(cols).saturating_mul(4),
    };
    let tiles = rows.div_ceil(GROUP as u64).saturating_mul(cols / TILE_COLUMNS as u64);
    tiles.saturating_mul(tile as u64)
}

impl<T: Multiplied> Weights for Packed<T> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn cols(&self) -> usize {
        self.cols()
    }

    fn bytes(&self) -> usize {
        size_of_val(self.tiles.as_slice())
    }

    fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        self.dequantize_row(row, out);
    }

    unsafe fn multiply(&self, kernels: &Kernels, x: &Input, y: &DisjointSlices<f32>, groups: Range<usize>) {
        // SAFETY: the caller's promise.
        unsafe { T::product(&kernels.products)(self, x.quantized, y, x.tokens, groups) }
    }
}

fn packed<B: Quantized<Tile: Multiplied>, R: Read + Seek>(
    source: &Source,
    reader: &mut Reader<R>,
) -> Result<Matrix> {
    let Source { tensor, rows, cols, .. } = source;
    let bad = |reader: &Reader<R>, cause| Err(Error::BadFile { file: reader.file().to_owned(), cause });
    if !cols.is_multiple_of(ACTIVATION_BLOCK) {
        let cause = format!("tensor {tensor} has {cols} columns, not a multiple of {ACTIVATION_BLOCK}");
        return bad(reader, cause);
    }
    let mut packed = Packed::with_capacity(*rows, *cols);
    let mut sound = true;
    groups(source, reader, |raw| sound &= packed.push_group::<B>(raw))?;
    if !sound {
        return bad(reader, format!("tensor {tensor} has a scale of 65504 or more, beyond half precision"));
    }
    Ok(Matrix(Box::new(packed)))
}

/// Weights row after row, without scales.
struct Plain<W> {
    cols: usize,
    /// (rows, cols).
    weights: Vec<W>,
}

/// A weight without a scale; sixteen bits stay sixteen bits in memory.
trait Weight: Copy + Send + Sync + 'static {
    fn to_f32(self) -> f32;

    /// `y = W·x` for these rows, as [`portable::matmul_floats`].
    ///
    /// # Safety
    /// No other thread writes these rows of `y`.
    unsafe fn matmul(w: &[Self], x: &[f32], y: &DisjointSlices<f32>, cols: usize, rows: Range<usize>) {
        // SAFETY: the caller's promise.
        unsafe { portable::matmul_narrow(w, Self::to_f32, x, y, cols, rows) }
    }
}

/// Bits of a half.
#[derive(Clone, Copy)]
struct F16(u16);

/// The upper bits of a float.
#[derive(Clone, Copy)]
struct BF16(u16);

impl Weight for F16 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        f16_to_f32(self.0)
    }
}

impl Weight for BF16 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        bf16_to_f32(self.0)
    }
}

impl Weight for f32 {
    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    unsafe fn matmul(w: &[f32], x: &[f32], y: &DisjointSlices<f32>, cols: usize, rows: Range<usize>) {
        // SAFETY: the caller's promise.
        unsafe { portable::matmul_floats(w, x, y, cols, rows) }
    }
}

impl<W: Weight> Weights for Plain<W> {
    fn rows(&self) -> usize {
        self.weights.len() / self.cols
    }

    fn cols(&self) -> usize {
        self.cols
    }

    fn bytes(&self) -> usize {
        size_of_val(self.weights.as_slice())
    }

    fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        let row = &self.weights[row * self.cols..][..self.cols];
        out.iter_mut().zip(row).for_each(|(out, weight)| *out = weight.to_f32());
    }

    unsafe fn multiply(&self, _: &Kernels, x: &Input, y: &DisjointSlices<f32>, groups: Range<usize>) {
        // SAFETY: the caller's promise.
        unsafe { W::matmul(&self.weights, x.floats, y, self.cols, rows_of(groups, self.rows())) }
    }
}

fn plain<W: Weight, const N: usize, R: Read + Seek>(
    source: &Source,
    reader: &mut Reader<R>,
    weight: impl Fn([u8; N]) -> W,
) -> Result<Matrix> {
    let mut weights = Vec::with_capacity(source.rows * source.cols);
    groups(source, reader, |raw| weights.extend(raw.as_chunks().0.iter().map(|bytes| weight(*bytes))))?;
    Ok(Matrix(Box::new(Plain { cols: source.cols, weights })))
}

/// Reads [`GROUP`] rows at a time.
fn groups<R: Read + Seek>(
    source: &Source,
    reader: &mut Reader<R>,
    mut push: impl FnMut(&[u8]),
) -> Result<()> {
    let mut raw = vec![0; source.row_bytes * GROUP.min(source.rows)];
    for first in (0..source.rows).step_by(GROUP) {
        let raw = &mut raw[..source.row_bytes * GROUP.min(source.rows - first)];
        reader.rows(source, first, raw)?;
        push(raw);
    }
    Ok(())
}
