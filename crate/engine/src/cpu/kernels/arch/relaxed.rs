//! WebAssembly with relaxed SIMD: dot products of four bytes (`i32x4.relaxed_dot_i8x16_i7x16_add_s`), one
//! instruction where the processor has one.
//!
//! One side of it is signed bytes, the other has seven bits: what a byte with the eighth bit set means there is up to
//! the processor, so neither side here ever has one. A weight of up to six bits fits the seven bits. An activation of fourteen
//! bits is two bytes, `q = 128 · high + low` with high in −64..=63 and low in 0..=127; both meet every weight, which
//! gives the integers that the other instruction sets sum. Weights of eight bits take the signed side, so activations
//! go to the other one with 64 added to their high byte, and 64 · Σw is taken away again.
//!
//! Where all rows have eight bits, one product does: as signed bytes they meet weights of up to six bits. Weights of
//! eight bits need the other side whole: [`Eighth`] says which of its two usual meanings the eighth bit has here. Where it
//! has neither, such rows are two bytes as all others.

use core::arch::wasm32::*;
use std::ops::Range;
use std::sync::OnceLock;

use super::shared::{RUNS, by_tokens, check};
use super::unpack::Unpack;
use super::wasm::{add_scaled, begun, gathered, peak_of, rolled, rounded, store};
use crate::cpu::kernels::activations::{BlockFactors, QuantizedRows, QuantizedRowsMut, largest};
use crate::cpu::kernels::layout::ACTIVATION_BLOCK;
use crate::cpu::pool::DisjointSlices;
use crate::format::{Packed, Scales, TileOf};
use crate::model::Precision;

/// What the eighth bit means on the side that has seven.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Eighth {
    /// The byte is unsigned (`vpdpbusd`).
    Unsigned,
    /// The byte is signed (`sdot`).
    Signed,
    /// Something else: the instruction is emulated.
    Neither,
}

impl Eighth {
    /// Tried on this processor, once: it stays the same while a program runs.
    fn here() -> Self {
        static HERE: OnceLock<Eighth> = OnceLock::new();
        *HERE.get_or_init(|| {
            let signed = [-128i8, 127, -1, 127, 127, 127, -128, -128, 5, -77, 127, -128, 1, 0, 3, 127];
            let bytes = [255u8, 255, 128, 200, 255, 129, 255, 255, 127, 128, 255, 254, 0, 255, 128, 255];
            let expected = |value: fn(u8) -> i32| -> [i32; 4] {
                std::array::from_fn(|lane| {
                    (4 * lane..4 * lane + 4).map(|i| i32::from(signed[i]) * value(bytes[i])).sum()
                })
            };
            let mut dots = [0i32; 4];
            // SAFETY: sixteen bytes each.
            unsafe {
                let a = v128_load(std::hint::black_box(signed.as_ptr()).cast());
                let b = v128_load(std::hint::black_box(bytes.as_ptr()).cast());
                let dot = i32x4_relaxed_dot_i8x16_i7x16_add(a, b, i32x4_splat(0));
                v128_store(dots.as_mut_ptr().cast(), dot);
            }
            if dots == expected(i32::from) {
                Self::Unsigned
            } else if dots == expected(|byte| i32::from(byte.cast_signed())) {
                Self::Signed
            } else {
                Self::Neither
            }
        })
    }
}

/// Whether rows of eight bits are multiplied as single bytes.
pub(crate) fn multiplies_bytes() -> bool {
    Eighth::here() != Eighth::Neither
}

/// See [`crate::cpu::kernels::reference::quantize`]; all high bytes of a block, then all low ones. Where all rows have
/// eight bits, one block's bytes stand right behind the other's.
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
        let mut sums = [i32x4_splat(0); 2];
        // SAFETY: a block is 32 floats, and the assertion above holds the outputs.
        unsafe {
            let size = if out.bytes { ACTIVATION_BLOCK } else { 2 * ACTIVATION_BLOCK };
            let bytes = out.quants.as_mut_ptr().cast::<u8>().add(index * size);
            for (half, sum) in sums.iter_mut().enumerate() {
                let four = |i: usize| rounded(block.as_ptr().add(16 * half + 4 * i), inverse);
                let (a, b, c, d) = (four(0), four(1), four(2), four(3));
                *sum = i32x4_add(i32x4_add(a, b), i32x4_add(c, d));
                let (ab, cd) = (i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
                if out.bytes {
                    v128_store(bytes.add(16 * half).cast(), i8x16_narrow_i16x8(ab, cd));
                    continue;
                }
                let high = i8x16_narrow_i16x8(i16x8_shr(ab, 7), i16x8_shr(cd, 7));
                let seven = i16x8_splat(127);
                let low = i8x16_narrow_i16x8(v128_and(ab, seven), v128_and(cd, seven));
                v128_store(bytes.add(16 * half).cast(), high);
                v128_store(bytes.add(ACTIVATION_BLOCK + 16 * half).cast(), low);
            }
        }
        out.factors[index] = BlockFactors::new(peak / largest, gathered(sums));
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
    if x.bytes {
        by_tokens!(multiply_bytes, w, x, y, tokens, groups, 4);
    } else {
        by_tokens!(multiply_group, w, x, y, tokens, groups, 2);
    }
}

/// One group of rows times `T` tokens from `token` on, all of eight bits.
///
/// # Safety
/// As [`multiply_group`].
#[target_feature(enable = "relaxed-simd")]
unsafe fn multiply_bytes<S: Scales, Q: Unpack, const T: usize>(
    w: &Packed<TileOf<S, Q>>,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    // What weights of eight bits are lifted by.
    let lifted = if Q::SIGNED && Eighth::here() == Eighth::Unsigned { 128 } else { 0 };
    let lift = u8x16_splat(lifted);
    let mut total = [[f32x4_splat(0.0); 2]; T];
    for (block, tile) in w.group(group).iter().enumerate() {
        // SAFETY: activations hold token + T rows of `blocks` blocks, which begin where they do with two bytes a quant.
        let bytes: [*const u8; T] = std::array::from_fn(|t| unsafe {
            activations(x, (token + t) * w.blocks).add(block * ACTIVATION_BLOCK)
        });
        for part in 0..S::PARTS {
            let offset = S::OFFSET - i32::from(lifted);
            // SAFETY: as above.
            let mut dots: [[v128; 2]; T] = std::array::from_fn(|t| unsafe {
                [begun::<S>(x, (token + t) * w.blocks + block, part, offset); 2]
            });
            let runs = std::hint::black_box(RUNS / S::PARTS);
            for run in 0..runs {
                let run = part * (RUNS / S::PARTS) + run;
                let weights = [0, 16].map(|at| {
                    let fours = tile.quants.fours::<v128>(run, at);
                    if Q::SIGNED { fours.map(|four| v128_xor(four, lift)) } else { fours }
                });
                for (dots, bytes) in dots.iter_mut().zip(bytes) {
                    for four in 0..2 {
                        // SAFETY: as above.
                        let x = unsafe { v128_load32_splat(bytes.add(run * 8 + four * 4).cast()) };
                        for (dots, weights) in dots.iter_mut().zip(&weights) {
                            *dots = i32x4_relaxed_dot_i8x16_i7x16_add(x, weights[four], *dots);
                        }
                    }
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
            // SAFETY: activations hold token + T rows of `blocks` blocks.
            let mut dots: [Dots; T] = std::array::from_fn(|t| unsafe {
                let at = (token + t) * w.blocks + block;
                [[i32x4_splat(0); 2], [begun::<S>(x, at, part, S::OFFSET); 2]]
            });
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
