//! WebAssembly `simd128`: products of 16-bit pairs (`i32x4.dot_i16x8_s`), eight rows and up to four tokens
//! at once.
//!
//! A run of the packed layout is two vectors of four rows each. Seen as 16-bit lanes, every other byte of it is a
//! ready-made 16-bit number (`and`, or a shift), so widening costs little beyond taking the bits apart; the activations
//! lie in the matching order of pairs.

use core::arch::wasm32::*;
use std::ops::Range;

use super::shared::{RUNS, by_tokens, check};
use super::unpack::Unpack;
use super::wasm::{add_scaled, begun, gathered, peak_of, rolled, rounded, store};
use crate::cpu::kernels::activations::{BlockFactors, QuantizedRows, QuantizedRowsMut, largest};
use crate::cpu::kernels::layout::ACTIVATION_BLOCK;
use crate::cpu::pool::DisjointSlices;
use crate::format::{Packed, Scales, TileOf};
use crate::model::Precision;

/// See [`crate::cpu::kernels::reference::quantize`].
pub(crate) fn quantize(x: &[f32], precision: Precision, out: QuantizedRowsMut) {
    let largest = largest(precision);
    let blocks = x.len() / ACTIVATION_BLOCK;
    assert!(
        out.factors.len() >= blocks && out.quants.len() >= blocks * ACTIVATION_BLOCK,
        "activations hold the rows"
    );
    for (index, block) in x.chunks_exact(ACTIVATION_BLOCK).enumerate() {
        let peak = peak_of(block);
        let inverse = f32x4_splat(if peak > 0.0 { largest / peak } else { 0.0 });
        // SAFETY: a block is 32 floats, and the assertion above holds the outputs.
        unsafe {
            let quant = |i: usize| rounded(block.as_ptr().add(4 * i), inverse);
            let mut sums = [i32x4_splat(0); 2];
            for run in 0..RUNS {
                let (a, b) = (quant(2 * run), quant(2 * run + 1));
                sums[run / 2] = i32x4_add(sums[run / 2], i32x4_add(a, b));
                let eight = i16x8_narrow_i32x4(a, b);
                // (0,2) (1,3) (4,6) (5,7)
                let pairs = i16x8_shuffle::<0, 2, 1, 3, 4, 6, 5, 7>(eight, eight);
                let at = index * ACTIVATION_BLOCK + run * 8;
                v128_store(out.quants.as_mut_ptr().add(at).cast(), pairs);
            }
            out.factors[index] = BlockFactors::new(peak / largest, gathered(sums));
        }
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
    by_tokens!(multiply_group, w, x, y, tokens, groups, 4);
}

/// One group of rows times `T` tokens from `token` on.
///
/// # Safety
/// The group lies in `w`; `x` and `y` hold `token + T` rows; no other thread writes these of `y`.
#[inline(always)]
unsafe fn multiply_group<S: Scales, Q: Unpack, const T: usize>(
    w: &Packed<TileOf<S, Q>>,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let runs = rolled::<T>(RUNS / S::PARTS);
    for (block, tile) in w.group(group).iter().enumerate() {
        for part in 0..S::PARTS {
            // SAFETY: activations hold token + T rows of `blocks` blocks.
            let mut dots: [[v128; 2]; T] = std::array::from_fn(|t| unsafe {
                [begun::<S>(x, (token + t) * w.blocks + block, part, S::OFFSET); 2]
            });
            for run in 0..runs {
                let run = part * (RUNS / S::PARTS) + run;
                let halves = [0, 16].map(|at| {
                    let [low, high] = tile.quants.fours::<v128>(run, at);
                    let ([first, second], [third, fourth]) = (pairs::<Q>(low), pairs::<Q>(high));
                    [first, second, third, fourth]
                });
                for (t, dots) in dots.iter_mut().enumerate() {
                    let at = ((token + t) * w.blocks + block) * ACTIVATION_BLOCK + run * 8;
                    // SAFETY: as above.
                    unsafe { multiply_pairs(&halves, x.quants.as_ptr().add(at), dots) };
                }
            }
            for (t, total) in total.iter_mut().enumerate() {
                let at = (token + t) * w.blocks + block;
                // SAFETY: as above.
                unsafe { add_scaled(total, dots[t], (&tile.scales, part), x, at) };
            }
        }
    }
    // SAFETY: the caller's.
    unsafe { store(&total, y, token, w.rows, group) };
}

/// The columns (0,2) and (1,3) of four as 16-bit numbers.
#[inline(always)]
fn pairs<Q: Unpack>(four: v128) -> [v128; 2] {
    if Q::SIGNED {
        [i16x8_shr(i16x8_shl(four, 8), 8), i16x8_shr(four, 8)]
    } else {
        [v128_and(four, u16x8_splat(0xff)), u16x8_shr(four, 8)]
    }
}

/// Adds plane · pair, for every plane of both halves of the rows and its pair of activations.
///
/// # Safety
/// `pairs` points at 2 · P readable numbers.
#[inline(always)]
unsafe fn multiply_pairs<const P: usize>(halves: &[[v128; P]; 2], pairs: *const i16, dots: &mut [v128; 2]) {
    for p in 0..P {
        // SAFETY: the caller's.
        let pair = unsafe { v128_load32_splat(pairs.add(2 * p).cast()) };
        for (dots, planes) in dots.iter_mut().zip(halves) {
            *dots = i32x4_add(*dots, i32x4_dot_i16x8(planes[p], pair));
        }
    }
}
