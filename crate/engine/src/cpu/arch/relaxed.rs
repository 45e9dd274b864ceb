//! WebAssembly `relaxed-simd`: products of a signed and a seven-bit byte, added in pairs.
//!
//! Nibbles fit the seven-bit side exactly and the sums stay below 2^15, so the operation is deterministic
//! here, whatever the processor. Eight-bit weights do not fit; they and quantisation stay with `simd128`.

use core::arch::wasm32::*;
use std::ops::Range;

use super::simd128::store;
use super::{check, tiles};
use crate::cpu::Activations;
use crate::quant::{BLOCK, GROUP, Packed4};

/// See [`crate::cpu::reference::matmul_q4`].
pub(crate) fn matmul_q4(w: &Packed4, x: &Activations, y: &mut [f32], tokens: usize, groups: Range<usize>) {
    check(x, y, tokens, w.rows, w.blocks);
    tiles!(q4_tile, w, x, y, tokens, groups);
}

/// One group of rows times `T` tokens from `token` on.
///
/// # Safety
/// The group lies in `w`; `x` and `y` hold `token + T` rows.
#[inline(always)]
unsafe fn q4_tile<const T: usize>(w: &Packed4, x: &Activations, y: &mut [f32], token: usize, group: usize) {
    let mut total = [[f32x4_splat(0.0); 2]; T];
    let mask = u8x16_splat(0x0f);
    for (block, cell) in w.group(group).iter().enumerate() {
        // SAFETY: loads stay in the cell, and activations hold token + T rows of `blocks` blocks.
        unsafe {
            let nibbles = cell.nibbles.as_ptr();
            // Eight products of at most 2 · 15 · 127 stay below 2^15, so a block adds up in 16 bits.
            let mut dots = [[i16x8_splat(0); 2]; T];
            for run in 0..4 {
                let low_rows = v128_load(nibbles.add(run * 32).cast());
                let high_rows = v128_load(nibbles.add(run * 32 + 16).cast());
                let low = [v128_and(low_rows, mask), v128_and(high_rows, mask)];
                // Bytes have no cheap shift on x86; 16-bit lanes and the mask do the same.
                let high = [v128_and(u16x8_shr(low_rows, 4), mask), v128_and(u16x8_shr(high_rows, 4), mask)];
                for (t, dots) in dots.iter_mut().enumerate() {
                    let quants = x.quants.as_ptr().add(((token + t) * w.blocks + block) * BLOCK + run * 8);
                    let x_low = v128_load32_splat(quants.cast());
                    let x_high = v128_load32_splat(quants.add(4).cast());
                    for half in 0..2 {
                        let sum = i16x8_add(
                            i16x8_relaxed_dot_i8x16_i7x16(x_low, low[half]),
                            i16x8_relaxed_dot_i8x16_i7x16(x_high, high[half]),
                        );
                        dots[half] = i16x8_add(dots[half], sum);
                    }
                }
            }
            for half in 0..2 {
                let d = v128_load(cell.d.as_ptr().add(4 * half).cast());
                let m = v128_load(cell.m.as_ptr().add(4 * half).cast());
                for t in 0..T {
                    let at = (token + t) * w.blocks + block;
                    let scale = v128_load32_splat(x.scales.as_ptr().add(at).cast());
                    let sum = v128_load32_splat(x.sums.as_ptr().add(at).cast());
                    let dot = f32x4_convert_i32x4(i32x4_extadd_pairwise_i16x8(dots[t][half]));
                    let product = f32x4_mul(d, f32x4_mul(dot, scale));
                    total[t][half] = f32x4_add(total[t][half], f32x4_add(product, f32x4_mul(m, sum)));
                }
            }
        }
    }
    store(&total, y, token, w.rows, group);
}
