//! Steps that both WebAssembly instruction sets do the same way.

use core::arch::wasm32::*;

use super::unpack::Vector;
use crate::cpu::kernels::activations::{QuantizedRows, sum_index};
use crate::cpu::pool::DisjointSlices;
use crate::format::{GROUP, Scales};

/// Largest magnitude of a block of 32.
#[inline(always)]
pub(super) fn peak_of(block: &[f32]) -> f32 {
    let (fours, _) = block.as_chunks::<4>();
    let peak = fours
        .iter()
        .fold(f32x4_splat(0.0), |peak, v| f32x4_max(peak, f32x4_abs(f32x4(v[0], v[1], v[2], v[3]))));
    let peak = f32x4_max(peak, i32x4_shuffle::<2, 3, 0, 1>(peak, peak));
    f32x4_extract_lane::<0>(peak).max(f32x4_extract_lane::<1>(peak))
}

/// Four floats at `x`, times `inverse`, rounded to integers.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(super) unsafe fn rounded(x: *const f32, inverse: v128) -> v128 {
    // SAFETY: the caller's.
    let x = unsafe { v128_load(x.cast()) };
    i32x4_trunc_sat_f32x4(f32x4_nearest(f32x4_mul(x, inverse)))
}

/// Sums of the quants of both halves of a block, which are still spread over four lanes.
#[inline(always)]
pub(super) fn gathered(sums: [v128; 2]) -> [i32; 2] {
    sums.map(|sum| {
        let sum = i32x4_add(sum, i32x4_shuffle::<2, 3, 0, 1>(sum, sum));
        i32x4_extract_lane::<0>(sum) + i32x4_extract_lane::<1>(sum)
    })
}

/// `runs`, for one token hidden from the compiler, so that a loop over them stays one. Unrolled, the sums of a block
/// become long expressions one after the other, and what the next ones need is spilled in between: a third of the speed.
/// Products of single bytes hide it always: a fifth of theirs.
#[inline(always)]
pub(super) fn rolled<const TOKENS: usize>(runs: usize) -> usize {
    if TOKENS == 1 { std::hint::black_box(runs) } else { runs }
}

/// `offset · Σq` of a part of the activations' block `at`, on every lane: where a sum of products begins.
///
/// # Safety
/// `x` has such a block, and the tile such a part.
#[inline(always)]
pub(super) unsafe fn begun<S: Scales>(x: QuantizedRows, at: usize, part: usize, offset: i32) -> v128 {
    // SAFETY: the caller's.
    let factors = unsafe { x.factors.get_unchecked(at) };
    if offset == 0 { i32x4_splat(0) } else { i32x4_splat(offset * factors.sums[sum_index(part, S::PARTS)]) }
}

/// `total += d · scale · dot`, and with a minimum `+ m · sum`, for eight rows and activations' block `at`. The same
/// operations in the same order on every instruction set.
///
/// # Safety
/// `x` has such a block, and the tile such a part.
#[inline(always)]
pub(super) unsafe fn add_scaled<S: Scales>(
    total: &mut [v128; 2],
    dots: [v128; 2],
    (scales, part): (&S, usize),
    x: QuantizedRows,
    at: usize,
) {
    // SAFETY: eight halves each; the caller's for the rest.
    unsafe {
        let factors = x.factors.get_unchecked(at);
        let scale = f32x4_splat(factors.scale);
        for (half, (total, dot)) in total.iter_mut().zip(dots).enumerate() {
            let d = over_rebias(scales.d(part).as_ptr().add(4 * half));
            let product = f32x4_mul(f32x4_mul(d, scale), f32x4_convert_i32x4(dot));
            let product = match scales.minima(part) {
                None => product,
                Some(m) => {
                    let sum = f32x4_splat(factors.scaled_sums[sum_index(part, S::PARTS)]);
                    f32x4_add(product, f32x4_mul(over_rebias(m.as_ptr().add(4 * half)), sum))
                }
            };
            *total = f32x4_add(*total, product);
        }
    }
}

/// [`crate::format::f16_over_rebias`] of four halves.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn over_rebias(halves: *const u16) -> v128 {
    // SAFETY: the caller's.
    let wide = unsafe { i32x4_load_extend_i16x4(halves.cast()) };
    v128_and(i32x4_shl(wide, 13), u32x4_splat(0x8fff_ffff))
}

/// Writes a tile's sums; the last group may be short of rows.
///
/// # Safety
/// No other thread writes these rows of `y`.
#[inline(always)]
pub(super) unsafe fn store<const T: usize>(
    total: &[[v128; 2]; T],
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
        // SAFETY: `lanes` holds two vectors.
        unsafe {
            v128_store(lanes.as_mut_ptr().cast(), total[0]);
            v128_store(lanes.as_mut_ptr().add(4).cast(), total[1]);
        }
        y.copy_from_slice(&lanes[..y.len()]);
    }
}

impl Vector for v128 {
    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller's.
        unsafe { v128_load(from.cast()) }
    }

    #[inline(always)]
    fn splat(byte: u8) -> Self {
        u8x16_splat(byte)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        v128_and(self, other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        v128_or(self, other)
    }

    #[inline(always)]
    fn shl(self, bits: u32) -> Self {
        i16x8_shl(self, bits)
    }

    #[inline(always)]
    fn shr(self, bits: u32) -> Self {
        u16x8_shr(self, bits)
    }

    #[inline(always)]
    fn look_up(self, table: &[i8; 16]) -> Self {
        // SAFETY: sixteen bytes.
        i8x16_swizzle(unsafe { v128_load(table.as_ptr().cast()) }, self)
    }
}
