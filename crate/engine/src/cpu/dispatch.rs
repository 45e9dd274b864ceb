//! The one place that chooses an instruction set.

use std::ops::Range;

use super::{Activations, arch, portable, reference};
use crate::quant::{Matrix, Packed4, Packed8};

/// The kernels of one instruction set.
pub struct Kernels {
    /// Name shown to people.
    pub name: &'static str,
    /// See [`reference::quantize`].
    pub quantize: fn(&[f32], &mut Activations),
    /// See [`reference::matmul_q4`].
    pub matmul_q4: fn(&Packed4, &Activations, &mut [f32], usize, Range<usize>),
    /// See [`reference::matmul_q8`].
    pub matmul_q8: fn(&Packed8, &Activations, &mut [f32], usize, Range<usize>),
}

/// The scalar twins, on every target.
pub static REFERENCE: Kernels = Kernels {
    name: "scalar",
    quantize: reference::quantize,
    matmul_q4: reference::matmul_q4,
    matmul_q8: reference::matmul_q8,
};

#[cfg(target_arch = "wasm32")]
const SIMD128: Kernels = Kernels {
    name: "simd128",
    quantize: arch::simd128::quantize,
    matmul_q4: arch::simd128::matmul_q4,
    matmul_q8: arch::simd128::matmul_q8,
};

#[cfg(target_arch = "x86_64")]
static AVX2: Kernels = Kernels {
    name: "avx2",
    quantize: arch::avx2::quantize,
    matmul_q4: arch::avx2::matmul_q4,
    matmul_q8: arch::avx2::matmul_q8,
};

#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
compile_error!("the wasm engine needs -Ctarget-feature=+simd128; build it with `cargo xtask build`");

/// The fastest kernels this processor has.
pub fn detect() -> &'static Kernels {
    #[cfg(target_arch = "wasm32")]
    return &const { SIMD128 };
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return &AVX2;
    }
    #[cfg(not(target_arch = "wasm32"))]
    &REFERENCE
}

/// `y = W·x` for `tokens` rows of `x` (tokens, cols); y: (tokens, rows) f32. `quantized` and `row` are scratch:
/// `quantized` holds `x` already when `fresh` is false (several matrices share one input).
pub fn matmul(
    kernels: &Kernels,
    w: &Matrix,
    x: &[f32],
    (quantized, fresh): (&mut Activations, bool),
    y: &mut [f32],
    tokens: usize,
) {
    let cols = x.len() / tokens;
    if fresh {
        quantized.cols = cols;
        (kernels.quantize)(x, quantized);
    }
    match w {
        Matrix::Q4(w) => (kernels.matmul_q4)(w, quantized, y, tokens, 0..w.groups()),
        Matrix::Q8(w) => (kernels.matmul_q8)(w, quantized, y, tokens, 0..w.groups()),
        Matrix::F16(w) => portable::matmul_halves(&w.bits, x, y, cols),
        Matrix::F32(w, _) => portable::matmul_floats(w, x, y, cols),
    }
}
