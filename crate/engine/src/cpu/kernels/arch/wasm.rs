//! Steps that both WebAssembly instruction sets do the same way.

use core::arch::wasm32::*;

use crate::cpu::kernels::activations::{QuantizedRows, QuantizedRowsMut};
use crate::cpu::kernels::layout::LARGEST;
use crate::cpu::pool::DisjointSlices;
use crate::format::{GROUP, REBIAS};

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

/// Writes what a block's quants are multiplied with: its scale, and the scale times the `sum` of its quants, which is
/// still spread over four lanes.
#[inline(always)]
pub(super) fn store_scale(out: &mut QuantizedRowsMut, block: usize, peak: f32, sum: v128) {
    let sum = i32x4_add(sum, i32x4_shuffle::<2, 3, 0, 1>(sum, sum));
    let sum = i32x4_extract_lane::<0>(sum) + i32x4_extract_lane::<1>(sum);
    let scale = peak / LARGEST * REBIAS;
    out.scales[block] = scale;
    out.sums[block] = scale * sum as f32;
}

/// `runs`, for one token hidden from the compiler, so that a loop over them stays one. Unrolled, the sums of a block
/// become long expressions one after the other, and what the next ones need is spilled in between: a third of the speed.
#[inline(always)]
pub(super) fn rolled<const TOKENS: usize>(runs: usize) -> usize {
    if TOKENS == 1 { std::hint::black_box(runs) } else { runs }
}

/// `total += d · scale · dot`, and with a minimum `+ m · sum`, for eight rows and activations' block `at`. The same
/// operations in the same order on every instruction set.
///
/// # Safety
/// `x` has such a block.
#[inline(always)]
pub(super) unsafe fn add_scaled(
    total: &mut [v128; 2],
    dots: [v128; 2],
    (d, m): (&[u16; GROUP], Option<&[u16; GROUP]>),
    x: QuantizedRows,
    at: usize,
) {
    // SAFETY: eight halves each; the caller's for the rest.
    unsafe {
        let scale = v128_load32_splat(x.scales.as_ptr().add(at).cast());
        for (half, (total, dot)) in total.iter_mut().zip(dots).enumerate() {
            let d = f32x4_mul(over_rebias(d.as_ptr().add(4 * half)), scale);
            let mut product = f32x4_mul(d, f32x4_convert_i32x4(dot));
            if let Some(m) = m {
                let sum = v128_load32_splat(x.sums.as_ptr().add(at).cast());
                product = f32x4_add(product, f32x4_mul(over_rebias(m.as_ptr().add(4 * half)), sum));
            }
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
