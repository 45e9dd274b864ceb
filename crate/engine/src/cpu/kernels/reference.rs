//! Scalar references: the specification of every kernel, and what tests compare against.

use std::ops::Range;

use super::activations::{BlockFactors, QuantizedRows, QuantizedRowsMut, largest, sum_index};
use super::layout::{ACTIVATION_BLOCK, EXACT, SPAN, key_place, pair_place, rows_of, value_place};
use crate::cpu::pool::DisjointSlices;
use crate::format::{GROUP, Packed, Quants, Scales, TILE_COLUMNS, TileOf, f16_over_rebias};
use crate::model::Precision;

/// Quantises `x` (rows, cols) into `out`: per block `scale = max|x| / largest`, with 8191 or 127 as the largest quant, and
/// `q = round(x / scale)`.
#[inline(always)]
pub fn quantize(x: &[f32], precision: Precision, out: QuantizedRowsMut) {
    assert!(!out.bytes, "no product here takes single bytes");
    let largest = largest(precision);
    for (index, block) in x.chunks_exact(ACTIVATION_BLOCK).enumerate() {
        let peak = block.iter().fold(0.0f32, |peak, v| peak.max(v.abs()));
        let inverse = if peak > 0.0 { largest / peak } else { 0.0 };
        let mut sums = [0i32; 2];
        for (column, v) in block.iter().enumerate() {
            let q = (v * inverse).round_ties_even() as i16;
            out.quants[index * ACTIVATION_BLOCK + pair_place(column)] = q;
            sums[column / (ACTIVATION_BLOCK / 2)] += i32::from(q);
        }
        out.factors[index] = BlockFactors::new(peak / largest, sums);
    }
}

/// `y[t, r] = Σ_c w[r, c] · x[t, c]` for the rows of the groups in `groups`.
/// w: (rows, cols) packed by eight rows; x: (tokens, cols) quantised; y: (tokens, rows) f32.
///
/// # Safety
/// No other thread writes these rows of `y`.
pub unsafe fn matmul<S: Scales, Q: Quants>(
    w: &Packed<TileOf<S, Q>>,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    tokens: usize,
    groups: Range<usize>,
) {
    assert!(!x.bytes, "pairs are multiplied");
    let width = TILE_COLUMNS / S::PARTS;
    for token in 0..tokens {
        for row in rows_of(groups.clone(), w.rows) {
            let lane = row % GROUP;
            let mut total = 0.0;
            for (block, tile) in w.group(row / GROUP).iter().enumerate() {
                let at = token * w.blocks + block;
                let quants = &x.quants[at * ACTIVATION_BLOCK..][..ACTIVATION_BLOCK];
                for part in 0..S::PARTS {
                    let product = |column: usize| {
                        let weight = i32::from(Q::value(tile.quants.code(lane, column)));
                        weight * i32::from(quants[pair_place(column)])
                    };
                    let dot: i32 = (part * width..(part + 1) * width).map(product).sum();
                    let d = f16_over_rebias(tile.scales.d(part)[lane]);
                    let BlockFactors { scale, sums, scaled_sums } = x.factors[at];
                    let sum = sum_index(part, S::PARTS);
                    let product = d * scale * (dot + S::OFFSET * sums[sum]) as f32;
                    total += match tile.scales.minima(part) {
                        None => product,
                        Some(m) => product + f16_over_rebias(m[lane]) * scaled_sums[sum],
                    };
                }
            }
            // SAFETY: the caller's.
            unsafe { y.set(token * w.rows + row, total) };
        }
    }
}

/// `out = x / rms(x) · weight`, rms over one row with `eps` added to the mean square.
pub fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let mean = x.iter().map(|v| v * v).sum::<f32>() / x.len() as f32;
    let inverse = 1.0 / (mean + eps).sqrt();
    for ((out, v), w) in out.iter_mut().zip(x).zip(weight) {
        *out = v * inverse * w;
    }
}

/// Rotates neighbouring pairs (2i, 2i+1) of one head by the angles whose (cos, sin) are given.
pub fn rope(head: &mut [f32], angles: &[(f32, f32)]) {
    for (pair, (cos, sin)) in head.chunks_exact_mut(2).zip(angles) {
        let a = pair[0];
        let b = pair[1];
        pair[0] = a * cos - b * sin;
        pair[1] = a * sin + b * cos;
    }
}

/// `gate = silu(gate) · up`, silu(g) = g / (1 + e^−g).
pub fn swiglu(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        *gate = *gate / (1.0 + (-*gate).exp()) * up;
    }
}

/// `gate = gelu(gate) · up`, gelu(g) = g / 2 · (1 + tanh(√(2/π) · (g + 0.044715 g³))).
pub fn geglu(gate: &mut [f32], up: &[f32]) {
    for (gate, up) in gate.iter_mut().zip(up) {
        let g = *gate;
        let inner = std::f32::consts::FRAC_2_PI.sqrt() * (g + 0.044_715 * g * g * g);
        *gate = 0.5 * g * (1.0 + inner.tanh()) * up;
    }
}

/// Q·Kᵀ of up to [`HEADS`](super::layout::HEADS) heads, without any scale. q: (heads, dim); keys: (positions / 8,
/// dim / 2, 8, 2); out: (heads, SPAN). Sums of [`EXACT`] products are exact, and become floats one after the other.
pub fn qk(q: &[i16], keys: &[i16], dim: usize, out: &mut [f32]) {
    for (q, out) in q.chunks_exact(dim).zip(out.chunks_exact_mut(SPAN)) {
        for (position, out) in out.iter_mut().enumerate().take(keys.len() / dim) {
            *out = exact_sums(dim, |d| i32::from(q[d]) * i32::from(keys[key_place(dim, position, d)]));
        }
    }
}

/// P·V, Σ weight · value, of up to [`HEADS`](super::layout::HEADS) heads, without any scale. weights: (heads, SPAN), 0 where a
/// pair of positions has no second one; values: (positions / 2, dim, 2); out: (heads, dim). Sums as in [`qk`].
pub fn pv(weights: &[i16], values: &[i16], dim: usize, out: &mut [f32]) {
    let positions = values.len() / dim;
    for (weights, out) in weights.chunks_exact(SPAN).zip(out.chunks_exact_mut(dim)) {
        for (d, out) in out.iter_mut().enumerate() {
            *out =
                exact_sums(positions, |p| i32::from(weights[p]) * i32::from(values[value_place(dim, p, d)]));
        }
    }
}

fn exact_sums(len: usize, product: impl Fn(usize) -> i32) -> f32 {
    let sum = |start: usize| (start..len.min(start + EXACT)).map(&product).sum::<i32>() as f32;
    (0..len).step_by(EXACT).map(sum).sum()
}

/// Attention of the query heads that share one key-value head, exactly. q: (heads, dim), already scaled;
/// keys, values: (positions, dim); out: (heads, dim).
pub fn attend(q: &[f32], keys: &[f32], values: &[f32], dim: usize, out: &mut [f32]) {
    for (q, out) in q.chunks_exact(dim).zip(out.chunks_exact_mut(dim)) {
        let scores: Vec<f32> =
            keys.chunks_exact(dim).map(|key| q.iter().zip(key).map(|(q, k)| q * k).sum::<f32>()).collect();
        let peak = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = scores.iter().map(|s| (s - peak).exp()).collect();
        let total: f32 = weights.iter().sum();
        out.fill(0.0);
        for (weight, row) in weights.iter().zip(values.chunks_exact(dim)) {
            for (out, v) in out.iter_mut().zip(row) {
                *out += weight / total * v;
            }
        }
    }
}
