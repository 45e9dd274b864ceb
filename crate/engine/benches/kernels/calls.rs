//! The only calls into the engine here, so that a changed signature changes one file.

use engine::cpu::portable::{self, KEYS, Partial, SPAN};
use engine::cpu::{Activations, Kernels, Parts, reference};
use engine::quant::{BLOCK, GROUP, Packed4, Packed8, Source4};

/// Weights of one matrix, packed.
pub(crate) enum Weights {
    Q4(Packed4),
    Q8(Packed8),
}

impl Weights {
    /// (rows, cols) from Q4_1 blocks.
    pub(crate) fn q4(raw: &[u8], rows: usize, cols: usize) -> Self {
        let mut packed = Packed4::with_capacity(rows, cols);
        let group = GROUP * cols / BLOCK * Source4::Q4_1.block_bytes();
        raw.chunks(group).for_each(|group| packed.push_group(Source4::Q4_1, group));
        Self::Q4(packed)
    }

    /// (rows, cols) from Q8_0 blocks.
    pub(crate) fn q8(raw: &[u8], rows: usize, cols: usize) -> Self {
        let mut packed = Packed8::with_capacity(rows, cols);
        raw.chunks(GROUP * cols / BLOCK * (BLOCK + 2)).for_each(|group| packed.push_group(group));
        Self::Q8(packed)
    }
}

pub(crate) fn room(rows: usize, cols: usize) -> Activations {
    Activations::with_capacity(rows, cols)
}

pub(crate) fn quantize(kernels: &Kernels, x: &[f32], out: &mut Activations) {
    (kernels.quantize)(x, out.rows_mut());
}

/// `y = W·x` for `tokens` rows of `x`.
pub(crate) fn product(kernels: &Kernels, w: &Weights, x: &Activations, y: &mut [f32], tokens: usize) {
    let (x, y) = (x.rows(), &Parts::of(y));
    // SAFETY: this thread alone writes.
    unsafe {
        match w {
            Weights::Q4(w) => (kernels.matmul_q4)(w, x, y, tokens, 0..w.groups()),
            Weights::Q8(w) => (kernels.matmul_q8)(w, x, y, tokens, 0..w.groups()),
        }
    }
}

/// Keys (positions / 8, dim, 8) and values (positions, dim) of one head as halves, for the query heads that share it.
pub(crate) struct Attention<'a> {
    pub(crate) q: &'a [f32],
    pub(crate) keys: &'a [u16],
    pub(crate) values: &'a [u16],
    pub(crate) dim: usize,
    /// [`scratch`] floats.
    pub(crate) scratch: &'a mut [f32],
}

/// Floats that [`attend`] works in.
pub(crate) fn scratch(heads: usize, dim: usize) -> usize {
    2 * Partial::len(heads, dim) + heads * SPAN
}

pub(crate) fn attend(a: Attention, out: &mut [f32]) {
    let heads = a.q.len() / a.dim;
    let (total, rest) = a.scratch.split_at_mut(Partial::len(heads, a.dim));
    let (next, scores) = rest.split_at_mut(Partial::len(heads, a.dim));
    let (mut total, mut next) = (Partial::of(total, heads), Partial::of(next, heads));
    for (index, cached) in a.keys.chunks(SPAN * a.dim).zip(a.values.chunks(SPAN * a.dim)).enumerate() {
        let out = if index == 0 { &mut total } else { &mut next };
        portable::attend(a.q, cached, a.dim, scores, out);
        if index > 0 {
            total.merge(&next);
        }
    }
    total.finish(out);
}

/// The scalar twin.
pub(crate) fn attend_plainly(a: &Attention, out: &mut [f32]) {
    let key = |i: usize| a.keys[(i / a.dim / KEYS * a.dim + i % a.dim) * KEYS + i / a.dim % KEYS];
    let keys: Vec<u16> = (0..a.keys.len()).map(key).collect();
    reference::attend(a.q, &keys, a.values, a.dim, out);
}

pub(crate) use portable::{rms_norm, rotate, swiglu};
