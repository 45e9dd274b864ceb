//! The one place that chooses an instruction set.

use std::ops::Range;

use super::activations::{QuantizedRows, QuantizedRowsMut};
use super::{arch, reference};
use crate::cpu::pool::DisjointSlices;
use crate::format::{Packed4, Packed8};

/// `y = W·x`: weights, activations, output, tokens, groups of eight rows. No other thread may write the output's rows
/// of these groups.
pub type Product<W> = unsafe fn(&W, QuantizedRows, &DisjointSlices<f32>, usize, Range<usize>);

/// One side of attention's products: of up to [`HEADS`](super::layout::HEADS) heads, with what the cache holds, the width
/// of a head, output.
pub type AttentionProduct = fn(&[i16], &[i16], usize, &mut [f32]);

/// The kernels of one instruction set. In WebAssembly the products are never inlined: copied into a caller with loops
/// of its own, they have been half as fast.
pub struct Kernels {
    /// Name shown to people.
    pub name: &'static str,
    /// See [`reference::quantize`].
    pub quantize: fn(&[f32], QuantizedRowsMut),
    /// See [`reference::matmul_q4`].
    pub matmul_q4: Product<Packed4>,
    /// See [`reference::matmul_q8`].
    pub matmul_q8: Product<Packed8>,
    /// See [`reference::qk`].
    pub qk: AttentionProduct,
    /// See [`reference::pv`].
    pub pv: AttentionProduct,
}

/// The scalar references, on every target.
pub static REFERENCE: Kernels = Kernels {
    name: "scalar",
    quantize: reference::quantize,
    matmul_q4: reference::matmul_q4,
    matmul_q8: reference::matmul_q8,
    qk: reference::qk,
    pv: reference::pv,
};

#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
const RELAXED: Kernels = Kernels {
    name: "relaxed-simd",
    quantize: arch::relaxed::quantize,
    matmul_q4: arch::relaxed::matmul_q4,
    matmul_q8: arch::relaxed::matmul_q8,
    qk: arch::pairs::qk,
    pv: arch::pairs::pv,
};

#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
const SIMD128: Kernels = Kernels {
    name: "simd128",
    quantize: arch::simd128::quantize,
    matmul_q4: arch::simd128::matmul_q4,
    matmul_q8: arch::simd128::matmul_q8,
    qk: arch::pairs::qk,
    pv: arch::pairs::pv,
};

#[cfg(target_arch = "x86_64")]
static AVX2: Kernels = Kernels {
    name: "avx2",
    quantize: arch::avx2::quantize,
    matmul_q4: arch::avx2::matmul_q4,
    matmul_q8: arch::avx2::matmul_q8,
    qk: arch::avx2::qk,
    pv: arch::avx2::pv,
};

#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
compile_error!("the wasm engine needs -Ctarget-feature=+simd128; build it with `cargo xtask build`");

/// The fastest kernels this processor has.
pub fn detect() -> &'static Kernels {
    #[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
    return &const { RELAXED };
    #[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
    return &const { SIMD128 };
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return &AVX2;
    }
    #[cfg(not(target_arch = "wasm32"))]
    &REFERENCE
}
