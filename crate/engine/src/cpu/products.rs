//! Products of a batch with weight matrices, cut into groups of rows that any thread may take.

use std::ops::Range;
use std::sync::Arc;

use super::kernels::activations::{QuantizedActivations, QuantizedRowsMut};
use super::kernels::dispatch::{self, Kernels};
use super::kernels::layout::ACTIVATION_BLOCK;
pub(super) use super::matrix::Input;
use super::matrix::Matrix;
use super::pool::{DisjointSlices, Pool};

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
    quants: DisjointSlices<'a, i16>,
    scales: DisjointSlices<'a, f32>,
    sums: DisjointSlices<'a, f32>,
    half_sums: DisjointSlices<'a, f32>,
}

impl<'a> Quantizer<'a> {
    /// Rows of `cols` columns.
    pub(super) fn new(kernels: &'static Kernels, out: &'a mut QuantizedActivations, cols: usize) -> Self {
        out.reshape(cols);
        let QuantizedRowsMut { quants, scales, sums, half_sums } = out.rows_mut();
        Self {
            kernels,
            cols,
            quants: DisjointSlices::of(quants),
            scales: DisjointSlices::of(scales),
            sums: DisjointSlices::of(sums),
            half_sums: DisjointSlices::of(half_sums),
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
                quants: self.quants.slice(index * blocks * ACTIVATION_BLOCK, blocks * ACTIVATION_BLOCK),
                scales: self.scales.slice(index * blocks, blocks),
                sums: self.sums.slice(index * blocks, blocks),
                half_sums: self.half_sums.slice(2 * index * blocks, 2 * blocks),
            }
        };
        (self.kernels.quantize)(x, out);
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
