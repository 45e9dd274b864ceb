//! Kernels written as plain loops over fixed-size chunks: the compiler vectorises them on every target.
//! Each has its scalar reference, of the same name, in `reference.rs`.

use std::ops::Range;

use super::quants::LANES;
use crate::cpu::pool::DisjointSlices;

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

/// `gate = gelu(gate) · up`; see [`super::reference::geglu`].
pub fn geglu(gate: &mut [f32], up: &[f32]) {
    // (1 + tanh(u)) / 2 is 1 / (1 + e^−2u).
    const TWICE_ROOT: f32 = 1.595_769;
    for (gate, up) in gate.iter_mut().zip(up) {
        let g = *gate;
        *gate = g / (1.0 + exp(-TWICE_ROOT * g * (1.0 + 0.044_715 * g * g))) * up;
    }
}

/// `x += y · scale`.
pub fn add_scaled(x: &mut [f32], y: &[f32], scale: f32) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y * scale;
    }
}

/// RMS norm of every head by itself, in place; weight: (head_dim,). See [`super::reference::rms_norm`].
pub fn rms_norm_heads(heads: &mut [f32], weight: &[f32], eps: f32) {
    for head in heads.chunks_exact_mut(weight.len()) {
        let inverse = 1.0 / (dot(head, head) / head.len() as f32 + eps).sqrt();
        for (v, w) in head.iter_mut().zip(weight) {
            *v = *v * inverse * w;
        }
    }
}

/// Rotates neighbouring pairs of every head of `head_dim`; see [`super::reference::rope`].
pub fn rotate(heads: &mut [f32], head_dim: usize, angles: &[(f32, f32)]) {
    for head in heads.chunks_exact_mut(head_dim) {
        for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(angles) {
            let a = pair[0];
            let b = pair[1];
            pair[0] = a * cos - b * sin;
            pair[1] = a * sin + b * cos;
        }
    }
}

/// `y[t, r] = w[r] · x[t]` for these rows. w: (all rows, cols) f32; x: (tokens, cols); y: (tokens, all rows).
///
/// # Safety
/// No other thread writes these rows of `y`.
pub unsafe fn matmul_floats(w: &[f32], x: &[f32], y: &DisjointSlices<f32>, cols: usize, rows: Range<usize>) {
    let all = w.len() / cols;
    for index in rows {
        let row = &w[index * cols..][..cols];
        for (token, x) in x.chunks_exact(cols).enumerate() {
            // SAFETY: the caller's.
            unsafe { y.set(token * all + index, dot(row, x)) };
        }
    }
}

/// As [`matmul_floats`], w: (all rows, cols) of a narrower type that `widen` makes floats of.
///
/// # Safety
/// No other thread writes these rows of `y`.
pub unsafe fn matmul_narrow<W: Copy>(
    w: &[W],
    widen: impl Fn(W) -> f32,
    x: &[f32],
    y: &DisjointSlices<f32>,
    cols: usize,
    rows: Range<usize>,
) {
    /// Columns widened at a time: two cache lines of sixteen bits each, no scratch to pass in.
    const CHUNK: usize = 64;
    let all = w.len() / cols;
    for index in rows {
        let row = &w[index * cols..][..cols];
        for (token, x) in x.chunks_exact(cols).enumerate() {
            let mut total = 0.0;
            for (row, x) in row.chunks(CHUNK).zip(x.chunks(CHUNK)) {
                let mut wide = [0.0; CHUNK];
                wide.iter_mut().zip(row).for_each(|(wide, weight)| *wide = widen(*weight));
                total += dot(&wide[..row.len()], x);
            }
            // SAFETY: the caller's.
            unsafe { y.set(token * all + index, total) };
        }
    }
}
