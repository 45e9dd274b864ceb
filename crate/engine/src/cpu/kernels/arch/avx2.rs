//! x86-64 with AVX2: products of 16-bit pairs (`vpmaddwd`), eight rows and up to four tokens at once. A run of the
//! packed layout is one vector.

use core::arch::x86_64::*;
use std::ops::Range;

use super::shared::{RUNS, by_heads, by_tokens, check, check_pv, check_qk};
use super::unpack::{Unpack, Vector};
use crate::cpu::kernels::activations::{QuantizedRows, QuantizedRowsMut, sum_index};
use crate::cpu::kernels::layout::{ACTIVATION_BLOCK, EXACT, HEADS, KEYS, SPAN};
use crate::cpu::kernels::reference;
use crate::cpu::pool::DisjointSlices;
use crate::format::{GROUP, Packed, Scales, TileOf};
use crate::model::Precision;

/// See [`reference::quantize`]; the compiler vectorises the plain loop.
pub(crate) fn quantize(x: &[f32], precision: Precision, out: QuantizedRowsMut) {
    #[target_feature(enable = "avx2")]
    fn inner(x: &[f32], precision: Precision, out: QuantizedRowsMut) {
        reference::quantize(x, precision, out);
    }
    // SAFETY: dispatch chose AVX2.
    unsafe { inner(x, precision, out) }
}

/// See [`reference::matmul`].
///
/// # Safety
/// No other thread writes these rows of `y`.
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
/// AVX2 runs; the group lies in `w`; `x` and `y` hold `token + T` rows; no other thread writes these of `y`.
#[target_feature(enable = "avx2")]
unsafe fn multiply_group<S: Scales, Q: Unpack, const T: usize>(
    w: &Packed<TileOf<S, Q>>,
    x: QuantizedRows,
    y: &DisjointSlices<f32>,
    token: usize,
    group: usize,
) {
    let mut total = [_mm256_setzero_ps(); T];
    for (block, tile) in w.group(group).iter().enumerate() {
        for part in 0..S::PARTS {
            let sum = sum_index(part, S::PARTS);
            let mut dots: [__m256i; T] = std::array::from_fn(|t| {
                _mm256_set1_epi32(S::OFFSET * x.factors[(token + t) * w.blocks + block].sums[sum])
            });
            for run in part * RUNS / S::PARTS..(part + 1) * RUNS / S::PARTS {
                let [low, high] = tile.quants.fours::<__m256i>(run, 0);
                let ([first, second], [third, fourth]) = (pairs::<Q>(low), pairs::<Q>(high));
                let planes = [first, second, third, fourth];
                for (t, dots) in dots.iter_mut().enumerate() {
                    let at = ((token + t) * w.blocks + block) * ACTIVATION_BLOCK + run * 8;
                    // SAFETY: activations hold token + T rows of `blocks` blocks.
                    *dots = unsafe { multiply_pairs(&planes, x.quants.as_ptr().add(at), *dots) };
                }
            }
            let d = over_rebias(tile.scales.d(part));
            let m = tile.scales.minima(part).map(|m| over_rebias(m));
            for t in 0..T {
                let factors = &x.factors[(token + t) * w.blocks + block];
                let dot = _mm256_cvtepi32_ps(dots[t]);
                let product = _mm256_mul_ps(_mm256_mul_ps(d, _mm256_set1_ps(factors.scale)), dot);
                let product = m.map_or(product, |m| {
                    let sum = _mm256_set1_ps(factors.scaled_sums[sum]);
                    _mm256_add_ps(product, _mm256_mul_ps(m, sum))
                });
                total[t] = _mm256_add_ps(total[t], product);
            }
        }
    }
    // SAFETY: the caller's.
    unsafe { store(&total, y, token, w.rows, group) };
}

/// The columns (0,2) and (1,3) of four as 16-bit numbers.
#[target_feature(enable = "avx2")]
#[inline]
fn pairs<Q: Unpack>(four: __m256i) -> [__m256i; 2] {
    if Q::SIGNED {
        [_mm256_srai_epi16(_mm256_slli_epi16(four, 8), 8), _mm256_srai_epi16(four, 8)]
    } else {
        [_mm256_and_si256(four, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(four, 8)]
    }
}

/// Inlined into functions that AVX2 runs, and called from nowhere else.
impl Vector for __m256i {
    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller's, and dispatch chose AVX2.
        unsafe { _mm256_loadu_si256(from.cast()) }
    }

    #[inline(always)]
    fn splat(byte: u8) -> Self {
        // SAFETY: dispatch chose AVX2.
        unsafe { _mm256_set1_epi8(byte.cast_signed()) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: dispatch chose AVX2.
        unsafe { _mm256_and_si256(self, other) }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: dispatch chose AVX2.
        unsafe { _mm256_or_si256(self, other) }
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        // SAFETY: dispatch chose AVX2.
        unsafe { _mm256_sll_epi16(self, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        // SAFETY: dispatch chose AVX2.
        unsafe { _mm256_srl_epi16(self, _mm_cvtsi32_si128(bits.cast_signed())) }
    }

    #[inline(always)]
    fn look_up(self, table: &[i8; 16]) -> Self {
        // SAFETY: sixteen bytes, and dispatch chose AVX2.
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table.as_ptr().cast()));
            _mm256_shuffle_epi8(table, self)
        }
    }
}

/// [`crate::format::f16_over_rebias`] of eight halves.
///
/// # Safety
/// AVX2 runs.
#[target_feature(enable = "avx2")]
#[inline]
fn over_rebias(halves: &[u16; GROUP]) -> __m256 {
    // SAFETY: eight halves.
    let wide = _mm256_cvtepi16_epi32(unsafe { _mm_loadu_si128(halves.as_ptr().cast()) });
    let mask = _mm256_set1_epi32(0x8fff_ffff_u32.cast_signed());
    _mm256_castsi256_ps(_mm256_and_si256(_mm256_slli_epi32(wide, 13), mask))
}

/// `dots` plus plane · pair, for every plane and its pair of activations.
///
/// # Safety
/// AVX2 runs; `pairs` points at 2 · P readable numbers.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn multiply_pairs<const P: usize>(planes: &[__m256i; P], pairs: *const i16, dots: __m256i) -> __m256i {
    planes.iter().enumerate().fold(dots, |dots, (p, plane)| {
        // SAFETY: the caller's.
        let pair = _mm256_set1_epi32(unsafe { pairs.add(2 * p).cast::<i32>().read_unaligned() });
        _mm256_add_epi32(dots, _mm256_madd_epi16(*plane, pair))
    })
}

/// See [`reference::qk`].
pub(crate) fn qk(q: &[i16], keys: &[i16], dim: usize, out: &mut [f32]) {
    by_heads!(qk_heads, check_qk(q, keys, dim, out), q, keys, dim, out);
}

/// See [`reference::pv`].
pub(crate) fn pv(weights: &[i16], values: &[i16], dim: usize, out: &mut [f32]) {
    by_heads!(pv_heads, check_pv(weights, values, dim, out), weights, values, dim, out);
}

/// # Safety
/// AVX2 runs; q holds `H` heads of `dim`, a multiple of 8, and out as many times [`SPAN`].
#[target_feature(enable = "avx2")]
unsafe fn qk_heads<const H: usize>(q: &[i16], keys: &[i16], dim: usize, out: &mut [f32]) {
    for (block, keys) in keys.chunks_exact(KEYS * dim).enumerate() {
        let mut totals = [_mm256_setzero_ps(); H];
        for start in (0..dim).step_by(EXACT) {
            let mut sums = [_mm256_setzero_si256(); H];
            for d in (start..dim.min(start + EXACT)).step_by(2) {
                // SAFETY: the dimensions d and d + 1 of eight keys, and of every head.
                unsafe {
                    let keys = _mm256_loadu_si256(keys.as_ptr().add(d * KEYS).cast());
                    for (h, sum) in sums.iter_mut().enumerate() {
                        *sum = multiply_pairs(&[keys], q.as_ptr().add(h * dim + d), *sum);
                    }
                }
            }
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = _mm256_add_ps(*total, _mm256_cvtepi32_ps(sum));
            }
        }
        for (h, total) in totals.into_iter().enumerate() {
            // SAFETY: a block's scores lie within a head's.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(h * SPAN + block * KEYS), total) };
        }
    }
}

/// # Safety
/// AVX2 runs; out holds `H` heads of `dim`, a multiple of 8, and weights as many times [`SPAN`].
#[target_feature(enable = "avx2")]
unsafe fn pv_heads<const H: usize>(weights: &[i16], values: &[i16], dim: usize, out: &mut [f32]) {
    let positions = values.len() / dim;
    for column in (0..dim).step_by(8) {
        let mut totals = [_mm256_setzero_ps(); H];
        for start in (0..positions).step_by(EXACT) {
            let mut sums = [_mm256_setzero_si256(); H];
            for position in (start..positions.min(start + EXACT)).step_by(2) {
                // SAFETY: eight columns of two positions, and every head's two weights.
                unsafe {
                    let values = values.as_ptr().add(position * dim + 2 * column);
                    let values = _mm256_loadu_si256(values.cast());
                    for (h, sum) in sums.iter_mut().enumerate() {
                        *sum = multiply_pairs(&[values], weights.as_ptr().add(h * SPAN + position), *sum);
                    }
                }
            }
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = _mm256_add_ps(*total, _mm256_cvtepi32_ps(sum));
            }
        }
        for (h, total) in totals.into_iter().enumerate() {
            // SAFETY: eight columns of a head.
            unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(h * dim + column), total) };
        }
    }
}

/// Writes a tile's sums; the last group may be short of rows.
///
/// # Safety
/// AVX2 runs; no other thread writes these rows of `y`.
#[target_feature(enable = "avx2")]
unsafe fn store<const T: usize>(
    total: &[__m256; T],
    y: &DisjointSlices<f32>,
    token: usize,
    rows: usize,
    group: usize,
) {
    for (t, total) in total.iter().enumerate() {
        let first = group * GROUP;
        // SAFETY: the caller's.
        let y = unsafe { y.slice((token + t) * rows + first, GROUP.min(rows - first)) };
        let mut lanes = [0.0f32; GROUP];
        // SAFETY: `lanes` holds one vector.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), *total) };
        y.copy_from_slice(&lanes[..y.len()]);
    }
}
