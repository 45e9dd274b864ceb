//! WebAssembly with relaxed SIMD: dot products of four bytes (`i32x4.relaxed_dot_i8x16_i7x16_add_s`), one
//! instruction where the processor has one.
//!
//! One side of it is signed bytes, the other has seven bits: what a byte with the eighth bit set means there is up to
//! the processor, so neither side here ever has one. A weight of up to six bits fits the seven bits. An activation of fourteen
//! bits is two bytes, `q = 128 · high + low` with high in −64..=63 and low in 0..=127; both meet every weight, which
//! gives the integers that the other instruction sets sum. Weights of eight bits take the signed side, so activations
//! go to the other one with 64 added to their high byte, and 64 · Σw is taken away again.

use core::arch::wasm32::*;
use std::ops::Range;

use super::shared::{RUNS, by_tokens, check};
use super::unpack::Unpack;
use super::wasm::{add_scaled, peak_of, rolled, rounded, store, store_scale};
use crate::cpu::kernels::activations::{QuantizedRows, QuantizedRowsMut};
use crate::cpu::kernels::layout::{ACTIVATION_BLOCK, LARGEST};
use crate::cpu::pool::DisjointSlices;
use crate::format::{Packed, Scales, TileOf};

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
        let mut sums = [i32x4_splat(0); 2];
        // SAFETY: a block is 32 floats, and the assertion above holds the outputs.
        unsafe {
            let bytes = out.quants.as_mut_ptr().add(index * ACTIVATION_BLOCK).cast::<u8>();
            for (half, sum) in sums.iter_mut().enumerate() {
                let four = |i: usize| rounded(block.as_ptr().add(16 * half + 4 * i), inverse);
                let (a, b, c, d) = (four(0), four(1), four(2), four(3));
                *sum = i32x4_add(i32x4_add(a, b), i32x4_add(c, d));
                let (ab, cd) = (i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
                let high = i8x16_narrow_i16x8(i16x8_shr(ab, 7), i16x8_shr(cd, 7));
                let seven = i16x8_splat(127);
                let low = i8x16_narrow_i16x8(v128_and(ab, seven), v128_and(cd, seven));
                v128_store(bytes.add(16 * half).cast(), high);
                v128_store(bytes.add(ACTIVATION_BLOCK + 16 * half).cast(), low);
            }
        }
        store_scale(&mut out, index, peak, sums);
    }
}

/// See [`crate::cpu::kernels::reference::matmul`].
///
/// # Safety
/// No other thread writes these rows of `y`.
#[inline(never)]
pub(crate) unsafe fn matmul<S: Scales, Q: Unpack>(
    w: &Packed<TileOf<S, Q>>,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    tokens: usize,
    groups: Range<usize>,
) {
    check(x, y, tokens, w.rows, w.blocks);
    by_tokens!(multiply_group, w, x, y, tokens, groups, 2);
}

/// Products with an activation's high and low bytes, of two times four rows.
type Dots = [[v128; 2]; 2];

/// One group of rows times `T` tokens from `token` on.
///
/// # Safety
/// The group lies in `w`; `x` and `y` hold `token + T` rows; no other thread writes these of `y`.
#[target_feature(enable = "relaxed-simd")]
unsafe fn multiply_group<S: Scales, Q: Unpack, const T: usize>(
    w: &Packed<TileOf<S, Q>>,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let runs = rolled::<T>(RUNS / S::PARTS);
    let lift = u8x16_splat(64);
    for (block, tile) in w.group(group).iter().enumerate() {
        for part in 0..S::PARTS {
            let mut dots: [Dots; T] = [[[i32x4_splat(0); 2]; 2]; T];
            // 64 · Σw, which the lifted high bytes are too large by.
            let mut lifted = [i32x4_splat(0); 2];
            for run in 0..runs {
                let run = part * (RUNS / S::PARTS) + run;
                let weights = [0, 16].map(|at| tile.quants.fours::<v128>(run, at));
                if Q::SIGNED {
                    for (lifted, weights) in lifted.iter_mut().zip(weights) {
                        for four in weights {
                            *lifted = i32x4_relaxed_dot_i8x16_i7x16_add(four, lift, *lifted);
                        }
                    }
                }
                for (t, [high_dots, low_dots]) in dots.iter_mut().enumerate() {
                    for four in 0..2 {
                        // SAFETY: activations hold token + T rows of `blocks` blocks.
                        let (high, low) = unsafe {
                            let bytes =
                                activations(x, (token + t) * w.blocks + block).add(run * 8 + four * 4);
                            let low = bytes.add(ACTIVATION_BLOCK);
                            (v128_load32_splat(bytes.cast()), v128_load32_splat(low.cast()))
                        };
                        for rows in 0..2 {
                            let weights = weights[rows][four];
                            let (high, low) = if Q::SIGNED {
                                let high = i8x16_add(high, lift);
                                (
                                    i32x4_relaxed_dot_i8x16_i7x16_add(weights, high, high_dots[rows]),
                                    i32x4_relaxed_dot_i8x16_i7x16_add(weights, low, low_dots[rows]),
                                )
                            } else {
                                (
                                    i32x4_relaxed_dot_i8x16_i7x16_add(high, weights, high_dots[rows]),
                                    i32x4_relaxed_dot_i8x16_i7x16_add(low, weights, low_dots[rows]),
                                )
                            };
                            high_dots[rows] = high;
                            low_dots[rows] = low;
                        }
                    }
                }
            }
            for (t, total) in total.iter_mut().enumerate() {
                if Q::SIGNED {
                    for (high, lifted) in dots[t][0].iter_mut().zip(lifted) {
                        *high = i32x4_sub(*high, lifted);
                    }
                }
                let at = (token + t) * w.blocks + block;
                // SAFETY: as above.
                unsafe { add_scaled(total, joined(&dots[t]), (&tile.scales, part), x, at) };
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
