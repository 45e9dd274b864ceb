//! The formats as one type.

use std::fmt;

use super::block::Block;
use super::f16::F16;
use super::f32::F32;
use super::planes::Planes;
use super::q4_0::Q4_0;
use super::q4_1::Q4_1;
use super::q8_0::Q8_0;

/// The formats that have kernels.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// 4-bit blocks with a scale.
    Q4_0,
    /// 4-bit blocks with a scale and a minimum.
    Q4_1,
    /// 8-bit blocks with a scale.
    Q8_0,
    /// Half-precision floats.
    F16,
    /// 32-bit floats.
    F32,
}

/// Calls a function that is generic over [`Block`] for a [`Format`]: `by_format!(format, call(arguments))`.
macro_rules! by_format {
    ($format:expr, $call:ident ( $($argument:expr),* )) => {
        match $format {
            Format::Q4_0 => $call::<Q4_0>($($argument),*),
            Format::Q4_1 => $call::<Q4_1>($($argument),*),
            Format::Q8_0 => $call::<Q8_0>($($argument),*),
            Format::F16 => $call::<F16>($($argument),*),
            Format::F32 => $call::<F32>($($argument),*),
        }
    };
}
#[cfg(test)]
pub(super) use by_format;

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Q4_0, Self::Q4_1, Self::Q8_0, Self::F16, Self::F32];

    /// Writes up to [`GROUP`] rows of `row_bytes` each to a GPU's planes: `quants` and `scales` of those rows, zeros
    /// where no row comes.
    pub fn to_planes(self, rows: &[u8], row_bytes: usize, quants: &mut [u8], scales: &mut [u8]) {
        by_format!(self, rows_to_planes(rows, row_bytes, quants, scales));
    }
}

pub(super) fn rows_to_planes<B: Block>(rows: &[u8], row_bytes: usize, quants: &mut [u8], scales: &mut [u8]) {
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
