//! WebAssembly with relaxed SIMD: dot products of four bytes (`i32x4.relaxed_dot_i8x16_i7x16_add_s`), one
//! instruction where the processor has one.
//!
//! One side of it is signed bytes, the other has seven bits: what a byte with the eighth bit set means there is up to
//! the processor, so neither side here ever has one. A 4-bit weight fits the seven bits. An activation of fourteen
//! bits is two bytes, `q = 128 · high + low` with high in −64..=63 and low in 0..=127; both meet every weight, which
//! gives the integers that the other instruction sets sum. Weights of eight bits take the signed side, so activations
//! go to the other one with 64 added to their high byte, and 64 · Σw is taken away again.

use core::arch::wasm32::*;
use std::ops::Range;

use super::shared::{by_tokens, check};
use super::wasm::{add_scaled, peak_of, rolled, rounded, store, store_scale};
use crate::cpu::kernels::activations::{QuantizedRows, QuantizedRowsMut};
use crate::cpu::kernels::layout::{ACTIVATION_BLOCK, LARGEST};
use crate::cpu::pool::DisjointSlices;
use crate::format::{Packed4, Packed8};

/// See [`crate::cpu::kernels::reference::quantize`]; all high bytes of a block, then all low ones.
pub(crate) fn quantize(x: &[f32], mut out: QuantizedRowsMut) {
    let blocks = x.len() / ACTIVATION_BLOCK;
    assert!(
        out.scales.len() >= blocks && out.quants.len() >= blocks * ACTIVATION_BLOCK,
        "activations hold the rows"
    );
    for (index, block) in x.chunks_exact(ACTIVATION_BLOCK).enumerate() {
        let peak = peak_of(block);
        let inverse = f32x4_splat(if peak > 0.0 { LARGEST / peak } else { 0.0 });
        let mut sum = i32x4_splat(0);
        // SAFETY: a block is 32 floats, and the assertion above holds the outputs.
        unsafe {
            let bytes = out.quants.as_mut_ptr().add(index * ACTIVATION_BLOCK).cast::<u8>();
            for half in 0..2 {
                let four = |i: usize| rounded(block.as_ptr().add(16 * half + 4 * i), inverse);
                let (a, b, c, d) = (four(0), four(1), four(2), four(3));
                sum = i32x4_add(sum, i32x4_add(i32x4_add(a, b), i32x4_add(c, d)));
                let (ab, cd) = (i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
                let high = i8x16_narrow_i16x8(i16x8_shr(ab, 7), i16x8_shr(cd, 7));
                let seven = i16x8_splat(127);
                let low = i8x16_narrow_i16x8(v128_and(ab, seven), v128_and(cd, seven));
                v128_store(bytes.add(16 * half).cast(), high);
                v128_store(bytes.add(ACTIVATION_BLOCK + 16 * half).cast(), low);
            }
        }
        store_scale(&mut out, index, peak, sum);
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
    by_tokens!(q4_group, w, x, y, tokens, groups, 2);
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
    by_tokens!(q8_group, w, x, y, tokens, groups, 2);
}

/// Products with an activation's high and low bytes, of two times four rows.
type Dots = [[v128; 2]; 2];

/// One group of rows times `T` tokens from `token` on.
///
/// # Safety
/// The group lies in `w`; `x` and `y` hold `token + T` rows; no other thread writes these of `y`.
#[target_feature(enable = "relaxed-simd")]
unsafe fn q4_group<const T: usize>(
    w: &Packed4,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let runs = rolled::<T>(4);
    let mask = u8x16_splat(0x0f);
    for (block, tile) in w.group(group).iter().enumerate() {
        // SAFETY: loads stay in the tile, and activations hold token + T rows of `blocks` blocks.
        unsafe {
            let nibbles = tile.nibbles.as_ptr();
            let mut dots: [Dots; T] = [[[i32x4_splat(0); 2]; 2]; T];
            for run in 0..runs {
                let low_rows = v128_load(nibbles.add(run * 32).cast());
                let high_rows = v128_load(nibbles.add(run * 32 + 16).cast());
                // Columns 0 to 3 of the run, then 4 to 7. Bytes cannot be shifted by themselves on x86.
                let columns = [
                    [v128_and(low_rows, mask), v128_and(high_rows, mask)],
                    [v128_and(u16x8_shr(low_rows, 4), mask), v128_and(u16x8_shr(high_rows, 4), mask)],
                ];
                for (t, dots) in dots.iter_mut().enumerate() {
                    let bytes = activations(x, (token + t) * w.blocks + block).add(run * 8);
                    for (four, weights) in columns.iter().enumerate() {
                        let high = v128_load32_splat(bytes.add(4 * four).cast());
                        let low = v128_load32_splat(bytes.add(ACTIVATION_BLOCK + 4 * four).cast());
                        for rows in 0..2 {
                            dots[0][rows] =
                                i32x4_relaxed_dot_i8x16_i7x16_add(high, weights[rows], dots[0][rows]);
                            dots[1][rows] =
                                i32x4_relaxed_dot_i8x16_i7x16_add(low, weights[rows], dots[1][rows]);
                        }
                    }
                }
            }
            for (t, total) in total.iter_mut().enumerate() {
                add_scaled(
                    total,
                    joined(&dots[t]),
                    (&tile.d, Some(&tile.m)),
                    x,
                    (token + t) * w.blocks + block,
                );
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
#[target_feature(enable = "relaxed-simd")]
unsafe fn q8_group<const T: usize>(
    w: &Packed8,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let runs = rolled::<T>(8);
    let lift = u8x16_splat(64);
    for (block, tile) in w.group(group).iter().enumerate() {
        // SAFETY: loads stay in the tile, and activations hold token + T rows of `blocks` blocks.
        unsafe {
            let quants = tile.quants.as_ptr();
            let mut dots: [Dots; T] = [[[i32x4_splat(0); 2]; 2]; T];
            // 64 · Σw, which the lifted high bytes are too large by.
            let mut lifted = [i32x4_splat(0); 2];
            for run in 0..runs {
                let weights =
                    [v128_load(quants.add(run * 32).cast()), v128_load(quants.add(run * 32 + 16).cast())];
                for (lifted, weights) in lifted.iter_mut().zip(weights) {
                    *lifted = i32x4_relaxed_dot_i8x16_i7x16_add(weights, lift, *lifted);
                }
                for (t, dots) in dots.iter_mut().enumerate() {
                    let bytes = activations(x, (token + t) * w.blocks + block).add(run * 4);
                    let high = i8x16_add(v128_load32_splat(bytes.cast()), lift);
                    let low = v128_load32_splat(bytes.add(ACTIVATION_BLOCK).cast());
                    for rows in 0..2 {
                        dots[0][rows] = i32x4_relaxed_dot_i8x16_i7x16_add(weights[rows], high, dots[0][rows]);
                        dots[1][rows] = i32x4_relaxed_dot_i8x16_i7x16_add(weights[rows], low, dots[1][rows]);
                    }
                }
            }
            for (t, total) in total.iter_mut().enumerate() {
                for (high, lifted) in dots[t][0].iter_mut().zip(lifted) {
                    *high = i32x4_sub(*high, lifted);
                }
                add_scaled(total, joined(&dots[t]), (&tile.d, None), x, (token + t) * w.blocks + block);
            }
        }
    }
    // SAFETY: the caller's.
    unsafe { store(&total, y, token, w.rows, group) };
}

/// The bytes of block `at`.
///
/// # Safety
/// `x` has such a block.
#[inline(always)]
unsafe fn activations(x: QuantizedRows, at: usize) -> *const u8 {
    // SAFETY: the caller's.
    unsafe { x.quants.as_ptr().add(at * ACTIVATION_BLOCK).cast() }
}

/// 128 · high + low.
#[inline(always)]
fn joined([high, low]: &Dots) -> [v128; 2] {
    [0, 1].map(|half| i32x4_add(i32x4_shl(high[half], 7), low[half]))
}
