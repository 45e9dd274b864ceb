//! ggml's block formats, as they lie in a GGUF file (`ggml-common.h`): one scale for 32 weights.
//!
//! In the 4-bit formats the low nibbles of the 16 bytes are elements 0–15 of the block and the high
//! nibbles elements 16–31.

use super::BLOCK;
use super::half::f16_to_f32;

/// Q4_0: `w = d · (q − 8)`.
#[repr(C)]
pub struct BlockQ4_0 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; BLOCK / 2],
}

/// Q4_1: `w = d · q + m`.
#[repr(C)]
pub struct BlockQ4_1 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// Minimum, half precision.
    pub m: [u8; 2],
    /// 32 nibbles.
    pub quants: [u8; BLOCK / 2],
}

/// Q8_0: `w = d · q`.
#[repr(C)]
pub struct BlockQ8_0 {
    /// Scale, half precision.
    pub d: [u8; 2],
    /// 32 signed bytes.
    pub quants: [i8; BLOCK],
}

const _: () = assert!(size_of::<BlockQ4_0>() == 18);
const _: () = assert!(size_of::<BlockQ4_1>() == 20);
const _: () = assert!(size_of::<BlockQ8_0>() == 34);

/// A 4-bit block read into registers' terms: `w = d · q + m`, q in 0..=15. Q4_0 has `m = −8 · d`.
#[derive(Clone, Copy)]
pub struct Nibbles<'a> {
    /// Scale.
    pub d: f32,
    /// Minimum.
    pub m: f32,
    quants: &'a [u8],
}

impl<'a> Nibbles<'a> {
    /// Reads a Q4_0 block from its 18 bytes.
    pub fn q4_0(bytes: &'a [u8]) -> Self {
        let d = half_at(bytes, 0);
        Self { d, m: -8.0 * d, quants: &bytes[2..size_of::<BlockQ4_0>()] }
    }

    /// Reads a Q4_1 block from its 20 bytes.
    pub fn q4_1(bytes: &'a [u8]) -> Self {
        Self { d: half_at(bytes, 0), m: half_at(bytes, 2), quants: &bytes[4..size_of::<BlockQ4_1>()] }
    }

    /// Quant of element `index` (0..32), 0..=15.
    #[inline]
    pub fn quant(&self, index: usize) -> u8 {
        let half = BLOCK / 2;
        if index < half { self.quants[index] & 0x0f } else { self.quants[index - half] >> 4 }
    }
}

/// Half-precision number at `offset`, little-endian.
#[inline]
pub fn half_at(bytes: &[u8], offset: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([bytes[offset], bytes[offset + 1]]))
}
