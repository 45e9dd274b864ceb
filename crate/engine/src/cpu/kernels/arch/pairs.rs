//! Attention's products for both WebAssembly instruction sets: of 16-bit pairs (`i32x4.dot_i16x8_s`).

use core::arch::wasm32::*;

use super::shared::{by_heads, check_pv, check_qk};
use super::wasm::rolled;
use crate::cpu::kernels::layout::{EXACT, HEADS, KEYS, SPAN};

/// See [`crate::cpu::kernels::reference::qk`].
#[inline(never)]
pub(crate) fn qk(q: &[i16], keys: &[i16], dim: usize, out: &mut [f32]) {
    by_heads!(qk_heads, check_qk(q, keys, dim, out), q, keys, dim, out);
}

/// See [`crate::cpu::kernels::reference::pv`].
#[inline(never)]
pub(crate) fn pv(weights: &[i16], values: &[i16], dim: usize, out: &mut [f32]) {
    by_heads!(pv_heads, check_pv(weights, values, dim, out), weights, values, dim, out);
}

/// # Safety
/// q holds `H` heads of `dim`, a multiple of 8, and out as many times [`SPAN`].
unsafe fn qk_heads<const H: usize>(q: &[i16], keys: &[i16], dim: usize, out: &mut [f32]) {
    for (block, keys) in keys.chunks_exact(KEYS * dim).enumerate() {
        let mut totals = [[f32x4_splat(0.0); 2]; H];
        for start in (0..dim).step_by(EXACT) {
            // SAFETY: up to EXACT dimensions of eight keys, and of every head.
            unsafe {
                let keys = keys.as_ptr().add(start * KEYS);
                let pairs = EXACT.min(dim - start) / 2;
                add_products::<H>(q.as_ptr().add(start), dim, keys, 2 * KEYS, pairs, &mut totals);
            }
        }
        // SAFETY: a block's scores lie within a head's.
        unsafe { store(&totals, out.as_mut_ptr().add(block * KEYS), SPAN) };
    }
}

/// # Safety
/// out holds `H` heads of `dim`, a multiple of 8, and weights as many times [`SPAN`].
unsafe fn pv_heads<const H: usize>(weights: &[i16], values: &[i16], dim: usize, out: &mut [f32]) {
    let positions = values.len() / dim;
    for column in (0..dim).step_by(8) {
        let mut totals = [[f32x4_splat(0.0); 2]; H];
        for start in (0..positions).step_by(EXACT) {
            // SAFETY: eight columns of up to EXACT positions, and every head's weights.
            unsafe {
                let values = values.as_ptr().add(start * dim + 2 * column);
                let pairs = EXACT.min(positions - start) / 2;
                add_products::<H>(weights.as_ptr().add(start), SPAN, values, 2 * dim, pairs, &mut totals);
            }
        }
        // SAFETY: eight columns of a head.
        unsafe { store(&totals, out.as_mut_ptr().add(column), dim) };
    }
}

/// `totals += Σ left · right` over `pairs` pairs: those of a head lie side by side in `left`, and heads `head` apart;
/// those of eight sums side by side in `right`, and pairs `pair` apart.
///
/// # Safety
/// They can be read.
#[inline(always)]
unsafe fn add_products<const H: usize>(
    left: *const i16,
    head: usize,
    right: *const i16,
    pair: usize,
    pairs: usize,
    totals: &mut [[v128; 2]; H],
) {
    let mut sums = [[i32x4_splat(0); 2]; H];
    for index in 0..rolled::<1>(pairs) {
        // SAFETY: the caller's.
        unsafe {
            let right = right.add(index * pair);
            let (low, high) = (v128_load(right.cast()), v128_load(right.add(8).cast()));
            for (h, sum) in sums.iter_mut().enumerate() {
                let left = v128_load32_splat(left.add(h * head + 2 * index).cast());
                sum[0] = i32x4_add(sum[0], i32x4_dot_i16x8(low, left));
                sum[1] = i32x4_add(sum[1], i32x4_dot_i16x8(high, left));
            }
        }
    }
    for (total, sum) in totals.iter_mut().zip(sums) {
        for (total, sum) in total.iter_mut().zip(sum) {
            *total = f32x4_add(*total, f32x4_convert_i32x4(sum));
        }
    }
}

/// Writes eight sums of every head to `out`, heads `head` apart.
///
/// # Safety
/// They can be written.
#[inline(always)]
unsafe fn store<const H: usize>(totals: &[[v128; 2]; H], out: *mut f32, head: usize) {
    for (h, [low, high]) in totals.iter().enumerate() {
        // SAFETY: the caller's.
        unsafe {
            v128_store(out.add(h * head).cast(), *low);
            v128_store(out.add(h * head + 4).cast(), *high);
        }
    }
}
