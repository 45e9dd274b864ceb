//! One file per instruction set. Nothing here decides which of them runs: see `dispatch.rs`.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "wasm32")]
pub(super) mod pairs;
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
pub(super) mod relaxed;
#[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
mod shared;
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
pub(super) mod simd128;
#[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
mod unpack;
#[cfg(target_arch = "wasm32")]
mod wasm;
