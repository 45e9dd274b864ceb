//! Activations quantised to fourteen or eight bits, the right-hand side of every quantised product.
//!
//! Fourteen while a model speaks: eight, which every peer uses, are enough noise to make the processor part from the
//! GPU, which does not quantise them, in 6 of 10 answers within 32 tokens. Fourteen are what both kinds of kernels take
//! at no cost or little: `simd128` and AVX2 multiply 16-bit pairs anyway, and relaxed SIMD takes two bytes of seven
//! bits. Eight may do while a model reads; relaxed SIMD multiplies a batch of them twice as fast. Every kernel sums the
//! same integers, so all builds give the same numbers.

use super::layout::{ACTIVATION_BLOCK, LARGEST, LARGEST_BYTE};
use crate::format::REBIAS;
use crate::model::Precision;

/// Largest magnitude of a quant.
#[inline]
pub(super) fn largest(precision: Precision) -> f32 {
    match precision {
        Precision::Eight => LARGEST_BYTE,
        Precision::Fourteen => LARGEST,
    }
}

/// What a block of quants is multiplied with. Floats are kept times [`REBIAS`], which the weights' scales lack: 2^16 is
/// the most that a scale may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct BlockFactors {
    /// The block's scale.
    pub(crate) scale: f32,
    /// Σq of the block, and of its halves: what a weight's offset is multiplied with.
    pub(crate) sums: [i32; 3],
    /// The same times the scale: what a weight's minimum is multiplied with.
    pub(crate) scaled_sums: [f32; 3],
}

impl BlockFactors {
    /// Of a block with the scale `step`, and the sums of its halves.
    #[inline(always)]
    pub(super) fn new(step: f32, [first, second]: [i32; 2]) -> Self {
        let scale = step * REBIAS;
        let sums = [first + second, first, second];
        Self { scale, sums, scaled_sums: sums.map(|sum| scale * sum as f32) }
    }
}

/// Which of the sums belongs to one of `parts` parts of a block.
#[inline(always)]
pub(super) fn sum_index(part: usize, parts: usize) -> usize {
    if parts == 1 { 0 } else { 1 + part }
}

/// Rows of activations, each block of 32 as `x ≈ scale · q` with q in −8191..=8191, or −127..=127 in rows of eight bits.
#[derive(Default)]
pub struct QuantizedActivations {
    /// Columns, a multiple of 32.
    cols: usize,
    /// Whether no row has more than eight bits.
    bytes: bool,
    quants: Vec<i16>,
    factors: Vec<BlockFactors>,
}

/// Some rows of [`QuantizedActivations`], to be read by kernels.
#[derive(Clone, Copy)]
pub struct QuantizedRows<'a> {
    /// Blocks of 32 in a row.
    pub(crate) blocks: usize,
    /// Whether no row has more than eight bits.
    pub(crate) bytes: bool,
    /// (rows, cols) quants. A block's 64 bytes are in the order that the kernels of one instruction set want: pairs, see
    /// [`pair_place`](super::layout::pair_place), or all high bytes before all low ones. Where all rows are bytes, they
    /// may stand in the first half of each row.
    pub(crate) quants: &'a [i16],
    /// (rows, cols / 32).
    pub(crate) factors: &'a [BlockFactors],
}

/// The same, to be written by a kernel's `quantize`.
pub struct QuantizedRowsMut<'a> {
    pub(crate) bytes: bool,
    pub(crate) quants: &'a mut [i16],
    pub(crate) factors: &'a mut [BlockFactors],
}

impl QuantizedActivations {
    /// Room for `rows` × `cols` at most; no later use allocates.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let factors = vec![BlockFactors::default(); rows * (cols / ACTIVATION_BLOCK)];
        Self { cols, bytes: false, quants: vec![0; rows * cols], factors }
    }

    /// Holds rows of `cols` columns from now on; with `bytes`, none of more than eight bits.
    pub fn reshape(&mut self, cols: usize, bytes: bool) {
        self.cols = cols;
        self.bytes = bytes;
    }

    /// All rows, to be read.
    pub fn rows(&self) -> QuantizedRows<'_> {
        let Self { cols, bytes, quants, factors } = self;
        QuantizedRows { blocks: cols / ACTIVATION_BLOCK, bytes: *bytes, quants, factors }
    }

    /// All rows, to be written.
    pub fn rows_mut(&mut self) -> QuantizedRowsMut<'_> {
        let Self { bytes, quants, factors, .. } = self;
        QuantizedRowsMut { bytes: *bytes, quants, factors }
    }
}
