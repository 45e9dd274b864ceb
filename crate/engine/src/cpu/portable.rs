//! Kernels written as plain loops over fixed-size chunks: the compiler vectorises them on every target.
//! Each has its scalar twin, of the same name, in `reference.rs`.

use std::ops::Range;

use super::Parts;
use crate::quant::{REBIAS, f16_over_rebias, f16_to_f32};

/// Lanes of the partial sums; a fixed count keeps results equal on every instruction set.
const LANES: usize = 8;

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

/// Positions whose keys lie side by side.
pub const KEYS: usize = 8;

/// Heads that are taken at a time: what the vector registers hold.
const HEADS: usize = 4;

/// Attention over up to [`SPAN`] positions; see [`super::reference::attend`]. q: (heads, dim), already scaled; keys:
/// (positions / 8, dim, 8) halves, eight positions side by side, so that scores need no sum across lanes; values:
/// (positions, dim) halves. `scores` (heads, SPAN) is scratch.
pub fn attend(
    q: &[f32],
    (keys, values): (&[u16], &[u16]),
    dim: usize,
    scores: &mut [f32],
    out: &mut Partial,
) {
    let positions = values.len() / dim;
    for (q, scores) in q.chunks(HEADS * dim).zip(scores.chunks_mut(HEADS * SPAN)) {
        match q.len() / dim {
            1 => score::<1>(q, keys, dim, scores),
            2 => score::<2>(q, keys, dim, scores),
            3 => score::<3>(q, keys, dim, scores),
            _ => score::<HEADS>(q, keys, dim, scores),
        }
    }
    for (head, scores) in scores.chunks_exact_mut(SPAN).take(q.len() / dim).enumerate() {
        let scores = &mut scores[..positions];
        let peak = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        scores.iter_mut().for_each(|score| *score = exp(*score - peak));
        (out.peaks[head], out.sums[head]) = (peak, scores.iter().sum());
        // Once a score here saves `mix` a multiplication a value.
        scores.iter_mut().for_each(|score| *score *= REBIAS);
    }
    for (scores, out) in scores.chunks(HEADS * SPAN).zip(out.values.chunks_mut(HEADS * dim)) {
        match out.len() / dim {
            1 => mix::<1>(scores, values, dim, out),
            2 => mix::<2>(scores, values, dim, out),
            3 => mix::<3>(scores, values, dim, out),
            _ => mix::<HEADS>(scores, values, dim, out),
        }
    }
}

/// Scores of `H` heads.
fn score<const H: usize>(q: &[f32], keys: &[u16], dim: usize, scores: &mut [f32]) {
    // Slices of a known length: an index is checked once, not at every key.
    let q: [&[f32]; H] = std::array::from_fn(|h| &q[h * dim..][..dim]);
    for (block, keys) in keys.chunks_exact(KEYS * dim).enumerate() {
        let keys = &keys.as_chunks::<KEYS>().0[..dim];
        let mut sums = [[0.0f32; KEYS]; H];
        for d in 0..dim {
            let key = keys[d].map(f16_to_f32);
            for (q, sums) in q.iter().zip(&mut sums) {
                sums.iter_mut().zip(key).for_each(|(sum, k)| *sum += q[d] * k);
            }
        }
        for (h, sums) in sums.iter().enumerate() {
            scores[h * SPAN + block * KEYS..][..KEYS].copy_from_slice(sums);
        }
    }
}

/// Values weighted by the scores of `H` heads, which bring [`REBIAS`] along, a few columns at a time, which stay in registers.
fn mix<const H: usize>(scores: &[f32], values: &[u16], dim: usize, out: &mut [f32]) {
    const COLUMNS: usize = 8;
    let (whole, positions) = (dim / COLUMNS * COLUMNS, values.len() / dim);
    // As in `score`.
    let scores: [&[f32]; H] = std::array::from_fn(|h| &scores[h * SPAN..][..positions]);
    for at in (0..whole).step_by(COLUMNS) {
        let mut sums = [[0.0f32; COLUMNS]; H];
        let mut rows = values[at..].chunks(dim);
        for position in 0..positions {
            let Some(value) = rows.next().and_then(|row| row.first_chunk::<COLUMNS>()) else { break };
            let value = value.map(f16_over_rebias);
            for (scores, sums) in scores.iter().zip(&mut sums) {
                sums.iter_mut().zip(value).for_each(|(sum, v)| *sum += scores[position] * v);
            }
        }
        for (h, sums) in sums.iter().enumerate() {
            out[h * dim + at..][..COLUMNS].copy_from_slice(sums);
        }
    }
    for at in whole..dim {
        for (h, scores) in scores.iter().enumerate() {
            let weighted = values.chunks_exact(dim).zip(*scores);
            out[h * dim + at] = weighted.map(|(row, weight)| weight * f16_over_rebias(row[at])).sum();
        }
    }
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
