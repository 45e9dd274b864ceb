//! Activations quantised to eight bits, the right-hand side of every quantised product.

use crate::quant::BLOCK;

/// Rows of activations, each block of 32 as `x ≈ scale · q` with q in −127..=127.
#[derive(Default)]
pub struct Activations {
    /// Columns, a multiple of 32.
    pub(crate) cols: usize,
    /// (rows, cols) quants in their natural order.
    pub(crate) quants: Vec<i8>,
    /// (rows, cols) the same as 16-bit pairs, columns (0,2), (1,3), (4,6), (5,7) of every eight: what the
    /// `simd128` kernels read.
    #[cfg(target_arch = "wasm32")]
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
        Self {
            cols,
            quants: vec![0; cells],
            #[cfg(target_arch = "wasm32")]
            pairs: vec![0; cells],
            scales: vec![0.0; blocks],
            sums: vec![0.0; blocks],
        }
    }

    /// Blocks in a row.
    #[inline]
    pub(crate) fn blocks(&self) -> usize {
        self.cols / BLOCK
    }
}
