//! A weight matrix in whichever packed layout its format calls for.

use std::io::{Read, Seek};

use super::kernels::layout::ACTIVATION_BLOCK;
use super::kernels::portable;
use crate::error::{Error, Result};
use crate::format::{Format, GROUP, Packed, Packed4, Packed8, Q4_0, Q4_1, Q8_0, Tile};
use crate::model::weights::{Reader, Source};

/// A weight matrix (rows, cols), ready for the kernels.
pub enum Matrix {
    /// 4-bit tiles.
    Q4(Packed4),
    /// 8-bit tiles.
    Q8(Packed8),
    /// Unquantised weights, row after row; half precision stays half precision in memory.
    F16(Plain<u16>),
    /// As `F16`.
    F32(Plain<f32>),
}

/// Weights row after row.
pub struct Plain<T> {
    pub(super) cols: usize,
    /// (rows, cols).
    pub(super) weights: Vec<T>,
}

impl Matrix {
    /// Streams a matrix out of the file, a group of rows at a time: the file's bytes and the packed copy are never
    /// whole in memory side by side.
    ///
    /// # Errors
    /// It cannot be read, or its columns are no whole blocks of activations.
    pub fn read<R: Read + Seek>(source: &Source, reader: &mut Reader<R>) -> Result<Self> {
        let Source { rows, cols, .. } = *source;
        match source.format {
            Format::Q4_0 => packed(source, reader, Packed4::push_group::<Q4_0>).map(Self::Q4),
            Format::Q4_1 => packed(source, reader, Packed4::push_group::<Q4_1>).map(Self::Q4),
            Format::Q8_0 => packed(source, reader, Packed8::push_group::<Q8_0>).map(Self::Q8),
            Format::F16 => {
                let mut weights = Vec::with_capacity(rows * cols);
                groups(source, reader, |raw| {
                    weights.extend(raw.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])));
                })?;
                Ok(Self::F16(Plain { cols, weights }))
            }
            Format::F32 => {
                let mut weights = Vec::with_capacity(rows * cols);
                groups(source, reader, |raw| {
                    weights.extend(raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
                })?;
                Ok(Self::F32(Plain { cols, weights }))
            }
            other => {
                let cause = format!("tensor {} has type {other}, which has no kernels yet", source.tensor);
                Err(Error::Unsupported { file: reader.file().to_owned(), cause })
            }
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Q4(m) => m.rows,
            Self::Q8(m) => m.rows,
            Self::F16(m) => m.weights.len() / m.cols,
            Self::F32(m) => m.weights.len() / m.cols,
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Self::Q4(m) => m.cols(),
            Self::Q8(m) => m.cols(),
            Self::F16(m) => m.cols,
            Self::F32(m) => m.cols,
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Q4(m) => size_of_val(m.tiles.as_slice()),
            Self::Q8(m) => size_of_val(m.tiles.as_slice()),
            Self::F16(m) => size_of_val(m.weights.as_slice()),
            Self::F32(m) => size_of_val(m.weights.as_slice()),
        };
        bytes as u64
    }

    /// Groups of [`GROUP`] rows, the last one perhaps short.
    pub fn groups(&self) -> usize {
        self.rows().div_ceil(GROUP)
    }

    /// Writes row `row`, dequantised, to `out` (cols,).
    pub fn dequantize_row(&self, row: usize, out: &mut [f32]) {
        match self {
            Self::Q4(m) => m.dequantize_row(row, out),
            Self::Q8(m) => m.dequantize_row(row, out),
            Self::F16(m) => portable::widen(&m.weights[row * m.cols..][..m.cols], out),
            Self::F32(m) => out.copy_from_slice(&m.weights[row * m.cols..][..m.cols]),
        }
    }
}

fn packed<T: Tile, R: Read + Seek>(
    source: &Source,
    reader: &mut Reader<R>,
    push: fn(&mut Packed<T>, &[u8]),
) -> Result<Packed<T>> {
    if !source.cols.is_multiple_of(ACTIVATION_BLOCK) {
        let Source { tensor, cols, .. } = source;
        let cause = format!("tensor {tensor} has {cols} columns, not a multiple of {ACTIVATION_BLOCK}");
        return Err(Error::BadFile { file: reader.file().to_owned(), cause });
    }
    let mut packed = Packed::with_capacity(source.rows, source.cols);
    groups(source, reader, |raw| push(&mut packed, raw))?;
    Ok(packed)
}

/// Reads [`GROUP`] rows at a time.
fn groups<R: Read + Seek>(
    source: &Source,
    reader: &mut Reader<R>,
    mut push: impl FnMut(&[u8]),
) -> Result<()> {
    let mut raw = vec![0; source.row_bytes * GROUP.min(source.rows)];
    for first in (0..source.rows).step_by(GROUP) {
        let raw = &mut raw[..source.row_bytes * GROUP.min(source.rows - first)];
        reader.rows(source, first, raw)?;
        push(raw);
    }
    Ok(())
}
