//! Kernels written as plain loops over fixed-size chunks: the compiler vectorises them on every target.
//! Each has its scalar twin, of the same name, in `reference.rs`.

use std::ops::Range;

use super::cache::Cached;
use super::quants::{LANES, Quants, quantize_row, reduce};
use super::{Kernels, Parts};
use crate::quant::f16_to_f32;

/// e^x within 3 ulp for −87 ≤ x ≤ 88, clamped outside. Free of branches, so that loops vectorise; the same
/// bits on every target, unlike the platform's own.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    // Adding and taking away 1.5 · 2^23 rounds to the nearest integer and leaves it in the low bits.
    let shifted = x * std::f32::consts::LOG2_E + 12_582_912.0;
    let n = shifted - 12_582_912.0;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    // Taylor to r^7 / 7!: |r| ≤ ln2 / 2 leaves an error below one ulp.
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// Σ a·b over equal lengths.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

/// `out = x / rms(x) · weight`; see [`super::reference::rms_norm`].
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let inverse = 1.0 / (dot(x, x) / x.len() as f32 + eps).sqrt();
    for ((out, v), w) in out.iter_mut().zip(x).zip(weight) {
        *out = v * inverse * w;
    }
}

/// `gate = silu(gate) · up`.
pub fn swiglu(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + exp(-*gate)) * up;
    }
}

/// `x += y`.
pub fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}

/// Rotates neighbouring pairs of every head of `head_dim`; see [`super::reference::rope`].
pub fn rotate(heads: &mut [f32], head_dim: usize, angles: &[(f32, f32)]) {
    for head in heads.chunks_exact_mut(head_dim) {
        for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(angles) {
            let (a, b) = (pair[0], pair[1]);
            pair[0] = a * cos - b * sin;
            pair[1] = a * sin + b * cos;
        }
    }
}

/// Positions that attention takes at a time. A fixed number, so that what several threads put together is what one
/// computes.
pub const SPAN: usize = 64;

/// Attention of the query heads that share one key-value head over up to [`SPAN`] positions, not yet divided: for each
/// head its largest score, Σ e^(score − largest), and Σ e^(score − largest) · value.
pub struct Partial<'a> {
    /// (heads,)
    pub peaks: &'a mut [f32],
    /// (heads,)
    pub sums: &'a mut [f32],
    /// (heads, dim)
    pub values: &'a mut [f32],
}

impl<'a> Partial<'a> {
    /// Floats that `heads` of `dim` take.
    pub fn len(heads: usize, dim: usize) -> usize {
        heads * (dim + 2)
    }

    /// In a buffer of [`Partial::len`] floats.
    pub fn of(buffer: &'a mut [f32], heads: usize) -> Self {
        let (peaks, rest) = buffer.split_at_mut(heads);
        let (sums, values) = rest.split_at_mut(heads);
        Self { peaks, sums, values }
    }

    /// Over the positions of `next` as well.
    pub fn merge(&mut self, next: &Partial) {
        let dim = self.values.len() / self.peaks.len();
        let values = self.values.chunks_exact_mut(dim).zip(next.values.chunks_exact(dim));
        for (head, (ours, theirs)) in values.enumerate() {
            let peak = self.peaks[head].max(next.peaks[head]);
            let (old, new) = (exp(self.peaks[head] - peak), exp(next.peaks[head] - peak));
            self.peaks[head] = peak;
            self.sums[head] = self.sums[head] * old + next.sums[head] * new;
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                *ours = *ours * old + theirs * new;
            }
        }
    }

    /// The weighted mean of the values, (heads, dim).
    pub fn finish(&self, out: &mut [f32]) {
        let dim = self.values.len() / self.peaks.len();
        let rows = out.chunks_exact_mut(dim).zip(self.values.chunks_exact(dim));
        for ((out, values), sum) in rows.zip(self.sums.iter()) {
            let inverse = 1.0 / sum;
            out.iter_mut().zip(values).for_each(|(out, v)| *out = v * inverse);
        }
    }
}

/// Heads that are taken at a time: what the vector registers hold.
pub const HEADS: usize = 4;

/// What [`attend`] works in.
pub struct Scratch<'a> {
    /// (heads, SPAN)
    pub scores: &'a mut [f32],
    /// (heads, SPAN)
    pub weights: &'a mut [i16],
}

/// Attention over up to [`SPAN`] positions; see [`super::reference::attend`]. q: (heads, dim), the scales already over
/// √dim.
pub fn attend(
    kernels: &Kernels,
    q: Quants,
    cached: &Cached,
    dim: usize,
    scratch: &mut Scratch,
    out: &mut Partial,
) {
    let Scratch { scores, weights } = scratch;
    for first in (0..q.scales.len()).step_by(HEADS) {
        let heads = first..q.scales.len().min(first + HEADS);
        let (cells, spans) = (heads.start * dim..heads.end * dim, heads.start * SPAN..heads.end * SPAN);
        let (scores, weights) = (&mut scores[spans.clone()], &mut weights[spans]);
        (kernels.score)(&q.quants[cells.clone()], cached.keys.quants, dim, scores);
        let mut scales = [0.0; HEADS];
        for (index, head) in heads.enumerate() {
            let (scores, weights) =
                (&mut scores[index * SPAN..][..SPAN], &mut weights[index * SPAN..][..SPAN]);
            let softened = soften(scores, q.scales[head], cached, weights);
            (out.peaks[head], out.sums[head], scales[index]) = softened;
        }
        let out = &mut out.values[cells];
        (kernels.mix)(weights, cached.values.quants, dim, out);
        for (out, scale) in out.chunks_exact_mut(dim).zip(scales) {
            out.iter_mut().for_each(|v| *v *= scale);
        }
    }
}

/// One head's largest score and Σ e^(score − largest), from `scores` that lack the scales of the query and the keys.
/// `weights` become e^(score − largest) times the scale of the position's values, quantised; their scale comes last.
fn soften(scores: &mut [f32], query: f32, cached: &Cached, weights: &mut [i16]) -> (f32, f32, f32) {
    let scores = &mut scores[..cached.keys.scales.len()];
    for (score, key) in scores.iter_mut().zip(cached.keys.scales) {
        *score *= query * key;
    }
    let peak = reduce(scores, f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
    scores.iter_mut().for_each(|score| *score = exp(*score - peak));
    let sum = reduce(scores, 0.0, |a, b| a + b);
    for (score, value) in scores.iter_mut().zip(cached.values.scales) {
        *score *= value;
    }
    // A last position without a partner has whatever was there before beside it.
    weights[scores.len()..].fill(0);
    let scale = quantize_row(scores, |position, weight| weights[position] = weight);
    (peak, sum, scale)
}

/// Halves to floats.
#[inline(always)]
pub fn widen(halves: &[u16], out: &mut [f32]) {
    for (out, &bits) in out.iter_mut().zip(halves) {
        *out = f16_to_f32(bits);
    }
}

/// `y[t, r] = w[r] · x[t]` for these rows. w: (all rows, cols) f32; x: (tokens, cols); y: (tokens, all rows).
///
/// # Safety
/// No other thread writes these rows of `y`.
pub unsafe fn matmul_floats(w: &[f32], x: &[f32], y: &Parts<f32>, cols: usize, rows: Range<usize>) {
    let all = w.len() / cols;
    for index in rows {
        let row = &w[index * cols..][..cols];
        for (token, x) in x.chunks_exact(cols).enumerate() {
            // SAFETY: the caller's.
            unsafe { y.set(token * all + index, dot(row, x)) };
        }
    }
}

/// As [`matmul_floats`], w: (all rows, cols) halves.
///
/// # Safety
/// No other thread writes these rows of `y`.
pub unsafe fn matmul_halves(w: &[u16], x: &[f32], y: &Parts<f32>, cols: usize, rows: Range<usize>) {
    /// Columns widened at a time: two cache lines of halves, no scratch to pass in.
    const CHUNK: usize = 64;
    let all = w.len() / cols;
    for index in rows {
        let row = &w[index * cols..][..cols];
        for (token, x) in x.chunks_exact(cols).enumerate() {
            let mut total = 0.0;
            for (row, x) in row.chunks(CHUNK).zip(x.chunks(CHUNK)) {
                let mut wide = [0.0; CHUNK];
                widen(row, &mut wide);
                total += dot(&wide[..row.len()], x);
            }
            // SAFETY: the caller's.
            unsafe { y.set(token * all + index, total) };
        }
    }
}
