//! Products of a batch with weight matrices, cut into groups of rows that any thread may take.

use std::ops::Range;
use std::sync::Arc;

use super::kernels::activations::{BlockFactors, QuantizedActivations, QuantizedRowsMut};
use super::kernels::dispatch::{self, Kernels};
use super::kernels::layout::ACTIVATION_BLOCK;
pub(super) use super::matrix::Input;
use super::matrix::Matrix;
use super::pool::{DisjointSlices, Pool};
use crate::model::Precision;

/// The kernels of an instruction set, on these threads.
#[derive(Clone)]
pub struct Processor {
    /// The kernels.
    pub kernels: &'static Kernels,
    /// The threads.
    pub pool: Arc<Pool>,
}

impl Processor {
    /// The fastest kernels that this processor has, on `pool`.
    pub fn detect(pool: Arc<Pool>) -> Self {
        Self { kernels: dispatch::detect(), pool }
    }

    /// These kernels on the caller's thread alone.
    pub fn alone(kernels: &'static Kernels) -> Self {
        Self { kernels, pool: Pool::alone() }
    }
}

/// Where a batch is quantised to, row by row, by several threads.
pub(super) struct Quantizer<'a> {
    kernels: &'static Kernels,
    cols: usize,
    bytes: bool,
    precisions: &'a [Precision],
    quants: DisjointSlices<'a, i16>,
    factors: DisjointSlices<'a, BlockFactors>,
}

impl<'a> Quantizer<'a> {
    /// Rows of `cols` columns, each of its own of `precisions`.
    pub(super) fn new(
        kernels: &'static Kernels,
        out: &'a mut QuantizedActivations,
        cols: usize,
        precisions: &'a [Precision],
    ) -> Self {
        let bytes = (kernels.bytes)() && precisions.iter().all(|precision| *precision == Precision::Eight);
        out.reshape(cols, bytes);
        let QuantizedRowsMut { quants, factors, .. } = out.rows_mut();
        Self {
            kernels,
            cols,
            bytes,
            precisions,
            quants: DisjointSlices::of(quants),
            factors: DisjointSlices::of(factors),
        }
    }

    /// Quantises one row.
    ///
    /// # Safety
    /// No other thread is at the same row.
    pub(super) unsafe fn row(&self, index: usize, x: &[f32]) {
        let blocks = self.cols / ACTIVATION_BLOCK;
        // SAFETY: the caller's promise, row by row.
        let out = unsafe {
            QuantizedRowsMut {
                bytes: self.bytes,
                quants: self.quants.slice(index * blocks * ACTIVATION_BLOCK, blocks * ACTIVATION_BLOCK),
                factors: self.factors.slice(index * blocks, blocks),
            }
        };
        (self.kernels.quantize)(x, self.precisions[index], out);
    }
}

/// `y = W·x` for the rows of `groups`, eight a group. w: (rows, cols); x: (tokens, cols); y: (tokens, rows) f32.
///
/// # Safety
/// No other thread writes these rows of `y`.
#[inline(never)]
pub(super) unsafe fn multiply(
    kernels: &Kernels,
    w: &Matrix,
    x: &Input,
    y: &DisjointSlices<f32>,
    groups: Range<usize>,
) {
    // SAFETY: the caller's promise.
    unsafe { w.weights().multiply(kernels, x, y, groups) }
}

/// [`multiply`] for whole matrices, on all threads, as one job: a job less is a wait less for every thread.
pub(super) fn multiply_whole<const N: usize>(
    processor: &Processor,
    products: [(&Matrix, &mut [f32]); N],
    x: &Input,
) {
    let total = products.iter().map(|(w, _)| w.groups()).sum();
    let products = products.map(|(w, y)| (w, DisjointSlices::of(y)));
    processor.pool.split(total, &|range| {
        let mut before = 0;
        for (w, y) in &products {
            let own = |group: usize| group.saturating_sub(before).min(w.groups());
            let groups = own(range.start)..own(range.end);
            before += w.groups();
            if !groups.is_empty() {
                // SAFETY: a group is handed out once.
                unsafe { multiply(processor.kernels, w, x, y, groups) };
            }
        }
    });
}
