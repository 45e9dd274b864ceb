//! Activations quantised to fourteen bits, the right-hand side of every quantised product.
//!
//! Not eight, which every peer uses: eight bits are enough noise to make the processor part from the GPU, which does
//! not quantise them, in 6 of 10 answers within 32 tokens. Fourteen are what both kinds of kernels take at no cost or
//! little: `simd128` and AVX2 multiply 16-bit pairs anyway, and relaxed SIMD takes two bytes of seven bits. Every
//! kernel sums the same integers, so all builds give the same numbers.

use super::layout::ACTIVATION_BLOCK;

/// Rows of activations, each block of 32 as `x ≈ scale · q` with q in −8191..=8191. Scales and sums are kept times
/// [`REBIAS`](crate::format::REBIAS), which the weights' scales lack: 2^16 is the most that either may be.
#[derive(Default)]
pub struct QuantizedActivations {
    /// Columns, a multiple of 32.
    cols: usize,
    quants: Vec<i16>,
    scales: Vec<f32>,
    sums: Vec<f32>,
    half_sums: Vec<f32>,
}

/// Some rows of [`QuantizedActivations`], to be read by kernels.
#[derive(Clone, Copy)]
pub struct QuantizedRows<'a> {
    /// Blocks of 32 in a row.
    pub(crate) blocks: usize,
    /// (rows, cols) quants, a block's 64 bytes in the order that the kernels of one instruction set want: pairs, see
    /// [`pair_place`](super::layout::pair_place), or all high bytes before all low ones.
    pub(crate) quants: &'a [i16],
    /// (rows, cols / 32) scales times [`REBIAS`](crate::format::REBIAS).
    pub(crate) scales: &'a [f32],
    /// (rows, cols / 32) scale · Σq times the same, which multiplies a weight block's minimum.
    pub(crate) sums: &'a [f32],
    /// (rows, cols / 16) the same of half a block, for weights with a scale for 16 columns.
    pub(crate) half_sums: &'a [f32],
}

/// The same, to be written by a kernel's `quantize`.
pub struct QuantizedRowsMut<'a> {
    pub(crate) quants: &'a mut [i16],
    pub(crate) scales: &'a mut [f32],
    pub(crate) sums: &'a mut [f32],
    pub(crate) half_sums: &'a mut [f32],
}

impl QuantizedRows<'_> {
    /// Scale · Σq of one of `parts` parts of block `at`.
    #[inline(always)]
    pub(crate) fn sum(&self, at: usize, part: usize, parts: usize) -> f32 {
        if parts == 1 { self.sums[at] } else { self.half_sums[2 * at + part] }
    }
}

impl QuantizedActivations {
    /// Room for `rows` × `cols` at most; no later use allocates.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let blocks = rows * (cols / ACTIVATION_BLOCK);
        Self {
            cols,
            quants: vec![0; rows * cols],
            scales: vec![0.0; blocks],
            sums: vec![0.0; blocks],
            half_sums: vec![0.0; 2 * blocks],
        }
    }

    /// Holds rows of `cols` columns from now on.
    pub fn reshape(&mut self, cols: usize) {
        self.cols = cols;
    }

    /// All rows, to be read.
    pub fn rows(&self) -> QuantizedRows<'_> {
        let Self { cols, quants, scales, sums, half_sums } = self;
        QuantizedRows { blocks: cols / ACTIVATION_BLOCK, quants, scales, sums, half_sums }
    }

    /// All rows, to be written.
    pub fn rows_mut(&mut self) -> QuantizedRowsMut<'_> {
        let Self { quants, scales, sums, half_sums, .. } = self;
        QuantizedRowsMut { quants, scales, sums, half_sums }
    }
}
