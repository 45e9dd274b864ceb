//! Quantised weights: the file's block formats, and the packed layouts that the kernels read front to back.

pub mod block;
mod half;
mod matrix;
mod packed;

pub use half::{REBIAS, f16_over_rebias, f16_to_f32, f32_to_f16};
pub use matrix::{Halves, Matrix, read_vector};
pub use packed::{Cell4, Cell8, GROUP, Packed, Packed4, Packed8, Source4};

/// Weights a quantised block holds; one scale each.
pub const BLOCK: usize = 32;
