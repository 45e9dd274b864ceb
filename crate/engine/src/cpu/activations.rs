//! Activations quantised to sixteen bits, the right-hand side of every quantised product.
//!
//! Sixteen, not eight: kernels multiply 16-bit pairs anyway, and eight bits were enough noise to make the processor
//! part from the GPU, which does not quantise them, in 6 of 10 answers within 32 tokens.

use crate::quant::BLOCK;

/// Largest magnitude of a quant. Sums of 32 products with eight-bit weights stay below 2^28.
pub(crate) const LARGEST: f32 = 32767.0;

/// Rows of activations, each block of 32 as `x ≈ scale · q` with q in −32767..=32767.
#[derive(Default)]
pub struct Activations {
    /// Columns, a multiple of 32.
    pub(crate) cols: usize,
    /// (rows, cols) quants as pairs, columns (0,2), (1,3), (4,6), (5,7) of every eight: the order in which the
    /// packed weights' nibbles come apart.
    pub(crate) pairs: Vec<i16>,
    /// (rows, cols / 32) scales.
    pub(crate) scales: Vec<f32>,
    /// (rows, cols / 32) scale · Σq, which multiplies a weight block's minimum.
    pub(crate) sums: Vec<f32>,
}

impl Activations {
    /// Room for `rows` × `cols` at most; no later use allocates.
    pub fn with_capacity(rows: usize, cols: usize) -> Self {
        let (cells, blocks) = (rows * cols, rows * (cols / BLOCK));
        Self { cols, pairs: vec![0; cells], scales: vec![0.0; blocks], sums: vec![0.0; blocks] }
    }

    /// Blocks in a row.
    #[inline]
    pub(crate) fn blocks(&self) -> usize {
        self.cols / BLOCK
    }

    /// Where in `pairs` the quant `index` in natural order stands: the middle two of every four change places.
    #[inline]
    pub(crate) fn place(index: usize) -> usize {
        match index % 4 {
            1 => index + 1,
            2 => index - 1,
            _ => index,
        }
    }
}
