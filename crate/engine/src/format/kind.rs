//! The formats as one type.

use std::fmt;

use super::bf16::BF16;
use super::block::Block;
use super::f16::F16;
use super::f32::F32;
use super::iq4_nl::IQ4_NL;
use super::iq4_xs::IQ4_XS;
use super::planes::{PlaneBlock, Planes};
use super::q2_k::Q2_K;
use super::q3_k::Q3_K;
use super::q4_0::Q4_0;
use super::q4_1::Q4_1;
use super::q4_k::Q4_K;
use super::q5_0::Q5_0;
use super::q5_1::Q5_1;
use super::q5_k::Q5_K;
use super::q6_k::Q6_K;
use super::q8_0::Q8_0;

/// The formats that have kernels.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// 4-bit blocks with a scale.
    Q4_0,
    /// 4-bit blocks with a scale and a minimum.
    Q4_1,
    /// 5-bit blocks with a scale.
    Q5_0,
    /// 5-bit blocks with a scale and a minimum.
    Q5_1,
    /// 8-bit blocks with a scale.
    Q8_0,
    /// 2-bit blocks of 256, scales and minima of four bits.
    Q2_K,
    /// 3-bit blocks of 256, scales of six bits.
    Q3_K,
    /// 4-bit blocks of 256, scales and minima of six bits.
    Q4_K,
    /// 5-bit blocks of 256, scales and minima of six bits.
    Q5_K,
    /// 6-bit blocks of 256, scales of eight bits.
    Q6_K,
    /// 4-bit blocks with a scale and a codebook.
    IQ4_NL,
    /// 4-bit blocks of 256 with the same codebook, scales of six bits.
    IQ4_XS,
    /// Upper halves of floats.
    BF16,
    /// Half-precision floats.
    F16,
    /// 32-bit floats.
    F32,
}

/// Calls a function that is generic over [`PlaneBlock`] for a [`Format`]: `by_format!(format, call(arguments))`.
macro_rules! by_format {
    ($format:expr, $call:ident ( $($argument:expr),* )) => {
        match $format {
            Format::Q4_0 => $call::<Q4_0>($($argument),*),
            Format::Q4_1 => $call::<Q4_1>($($argument),*),
            Format::Q5_0 => $call::<Q5_0>($($argument),*),
            Format::Q5_1 => $call::<Q5_1>($($argument),*),
            Format::Q8_0 => $call::<Q8_0>($($argument),*),
            Format::Q2_K => $call::<Q2_K>($($argument),*),
            Format::Q3_K => $call::<Q3_K>($($argument),*),
            Format::Q4_K => $call::<Q4_K>($($argument),*),
            Format::Q5_K => $call::<Q5_K>($($argument),*),
            Format::Q6_K => $call::<Q6_K>($($argument),*),
            Format::IQ4_NL => $call::<IQ4_NL>($($argument),*),
            Format::IQ4_XS => $call::<IQ4_XS>($($argument),*),
            Format::BF16 => $call::<BF16>($($argument),*),
            Format::F16 => $call::<F16>($($argument),*),
            Format::F32 => $call::<F32>($($argument),*),
        }
    };
}
#[cfg(test)]
pub(super) use by_format;

impl Format {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2_K,
        Self::Q3_K,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
        Self::IQ4_NL,
        Self::IQ4_XS,
        Self::BF16,
        Self::F16,
        Self::F32,
    ];

    /// Weights of a block, and its bytes.
    pub fn block(self) -> (usize, usize) {
        fn block<B: Block>() -> (usize, usize) {
            (B::WIDTH, B::BYTES)
        }
        by_format!(self, block())
    }

    /// Writes up to [`GROUP`](super::GROUP) rows of `row_bytes` each to a GPU's planes: `quants` and `scales` of those
    /// rows, zeros where no row comes.
    pub fn to_planes(self, rows: &[u8], row_bytes: usize, quants: &mut [u8], scales: &mut [u8]) {
        by_format!(self, rows_to_planes(rows, row_bytes, quants, scales));
    }
}

pub(super) fn rows_to_planes<B: PlaneBlock>(
    rows: &[u8],
    row_bytes: usize,
    quants: &mut [u8],
    scales: &mut [u8],
) {
    for (lane, row) in rows.chunks_exact(row_bytes).enumerate() {
        for (block, bytes) in row.chunks_exact(B::BYTES).enumerate() {
            B::to_planes(bytes, &mut Planes { quants, scales, lane, column: block * B::WIDTH });
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
