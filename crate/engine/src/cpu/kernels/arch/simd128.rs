//! WebAssembly `simd128`: products of 16-bit pairs (`i32x4.dot_i16x8_s`), eight rows and up to four tokens
//! at once.
//!
//! A run of the packed layout is two vectors of four rows each. Seen as 16-bit lanes, its nibble planes are
//! ready-made 16-bit numbers (`and`, or shift and `and`), so widening costs nothing beyond taking the
//! nibbles apart; the activations lie in the matching order of pairs.

use core::arch::wasm32::*;
use std::ops::Range;

use super::shared::{by_tokens, check};
use super::wasm::{add_scaled, peak_of, rolled, rounded, store, store_scale};
use crate::cpu::kernels::activations::{QuantizedRows, QuantizedRowsMut};
use crate::cpu::kernels::layout::{ACTIVATION_BLOCK, LARGEST};
use crate::cpu::pool::DisjointSlices;
use crate::format::{Packed4, Packed8};

/// See [`crate::cpu::kernels::reference::quantize`].
pub(crate) fn quantize(x: &[f32], mut out: QuantizedRowsMut) {
    let blocks = x.len() / ACTIVATION_BLOCK;
    assert!(
        out.scales.len() >= blocks && out.quants.len() >= blocks * ACTIVATION_BLOCK,
        "activations hold the rows"
    );
    for (index, block) in x.chunks_exact(ACTIVATION_BLOCK).enumerate() {
        let peak = peak_of(block);
        let inverse = f32x4_splat(if peak > 0.0 { LARGEST / peak } else { 0.0 });
        // SAFETY: a block is 32 floats, and the assertion above holds the outputs.
        unsafe {
            let quant = |i: usize| rounded(block.as_ptr().add(4 * i), inverse);
            let mut sum = i32x4_splat(0);
            for run in 0..4 {
                let (a, b) = (quant(2 * run), quant(2 * run + 1));
                sum = i32x4_add(sum, i32x4_add(a, b));
                let eight = i16x8_narrow_i32x4(a, b);
                // (0,2) (1,3) (4,6) (5,7)
                let pairs = i16x8_shuffle::<0, 2, 1, 3, 4, 6, 5, 7>(eight, eight);
                let at = index * ACTIVATION_BLOCK + run * 8;
                v128_store(out.quants.as_mut_ptr().add(at).cast(), pairs);
            }
            store_scale(&mut out, index, peak, sum);
        }
    }
}

/// See [`crate::cpu::kernels::reference::matmul_q4`].
///
/// # Safety
/// No other thread writes these rows of `y`.
#[inline(never)]
pub(crate) unsafe fn matmul_q4(
    w: &Packed4,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    tokens: usize,
    groups: Range<usize>,
) {
    check(x, y, tokens, w.rows, w.blocks);
    by_tokens!(q4_group, w, x, y, tokens, groups, 4);
}

/// See [`crate::cpu::kernels::reference::matmul_q8`].
///
/// # Safety
/// No other thread writes these rows of `y`.
#[inline(never)]
pub(crate) unsafe fn matmul_q8(
    w: &Packed8,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    tokens: usize,
    groups: Range<usize>,
) {
    check(x, y, tokens, w.rows, w.blocks);
    by_tokens!(q8_group, w, x, y, tokens, groups, 4);
}

/// One group of rows times `T` tokens from `token` on.
///
/// # Safety
/// The group lies in `w`; `x` and `y` hold `token + T` rows; no other thread writes these of `y`.
#[inline(always)]
unsafe fn q4_group<const T: usize>(
    w: &Packed4,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let runs = rolled::<T>(4);
    let mask = u16x8_splat(0x0f);
    for (block, tile) in w.group(group).iter().enumerate() {
        // SAFETY: loads stay in the tile, and activations hold token + T rows of `blocks` blocks.
        unsafe {
            let nibbles = tile.nibbles.as_ptr();
            let mut dots = [[i32x4_splat(0); 2]; T];
            for run in 0..runs {
                let low_rows = v128_load(nibbles.add(run * 32).cast());
                let high_rows = v128_load(nibbles.add(run * 32 + 16).cast());
                // Planes 0, 2, 1, 3 meet the pairs (0,2) (1,3) (4,6) (5,7).
                let planes = [
                    [v128_and(low_rows, mask), v128_and(high_rows, mask)],
                    [v128_and(u16x8_shr(low_rows, 8), mask), v128_and(u16x8_shr(high_rows, 8), mask)],
                    [v128_and(u16x8_shr(low_rows, 4), mask), v128_and(u16x8_shr(high_rows, 4), mask)],
                    [u16x8_shr(low_rows, 12), u16x8_shr(high_rows, 12)],
                ];
                for (t, dots) in dots.iter_mut().enumerate() {
                    let at = ((token + t) * w.blocks + block) * ACTIVATION_BLOCK + run * 8;
                    multiply_pairs(&planes, x.quants.as_ptr().add(at), dots);
                }
            }
            for (t, total) in total.iter_mut().enumerate() {
                add_scaled(total, dots[t], (&tile.d, Some(&tile.m)), x, (token + t) * w.blocks + block);
            }
        }
    }
    // SAFETY: the caller's.
    unsafe { store(&total, y, token, w.rows, group) };
}

/// As [`q4_group`] for eight-bit weights.
///
/// # Safety
/// The group lies in `w`; `x` and `y` hold `token + T` rows; no other thread writes these of `y`.
#[inline(always)]
unsafe fn q8_group<const T: usize>(
    w: &Packed8,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let runs = rolled::<T>(8);
    for (block, tile) in w.group(group).iter().enumerate() {
        // SAFETY: loads stay in the tile, and activations hold token + T rows of `blocks` blocks.
        unsafe {
            let quants = tile.quants.as_ptr();
            let mut dots = [[i32x4_splat(0); 2]; T];
            for run in 0..runs {
                let low_rows = v128_load(quants.add(run * 32).cast());
                let high_rows = v128_load(quants.add(run * 32 + 16).cast());
                let planes = [
                    [i16x8_shr(i16x8_shl(low_rows, 8), 8), i16x8_shr(i16x8_shl(high_rows, 8), 8)],
                    [i16x8_shr(low_rows, 8), i16x8_shr(high_rows, 8)],
                ];
                for (t, dots) in dots.iter_mut().enumerate() {
                    let at = ((token + t) * w.blocks + block) * ACTIVATION_BLOCK + run * 4;
                    multiply_pairs(&planes, x.quants.as_ptr().add(at), dots);
                }
            }
            for (t, total) in total.iter_mut().enumerate() {
                add_scaled(total, dots[t], (&tile.d, None), x, (token + t) * w.blocks + block);
            }
        }
    }
    // SAFETY: the caller's.
    unsafe { store(&total, y, token, w.rows, group) };
}

/// Adds plane · pair, for every plane and its pair of activations.
///
/// # Safety
/// `pairs` points at 2 · P readable numbers.
#[inline(always)]
unsafe fn multiply_pairs<const P: usize>(planes: &[[v128; 2]; P], pairs: *const i16, dots: &mut [v128; 2]) {
    for (p, plane) in planes.iter().enumerate() {
        // SAFETY: the caller's.
        let pair = unsafe { v128_load32_splat(pairs.add(2 * p).cast()) };
        dots[0] = i32x4_add(dots[0], i32x4_dot_i16x8(plane[0], pair));
        dots[1] = i32x4_add(dots[1], i32x4_dot_i16x8(plane[1], pair));
    }
}
