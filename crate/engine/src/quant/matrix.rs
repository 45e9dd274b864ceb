//! A weight matrix in whichever packed layout its file type calls for, streamed from the file.

use std::io::{Read, Seek};
use std::ops::Range;

use super::packed::Source4;
use super::{BLOCK, GROUP, Packed4, Packed8, f16_to_f32};
use crate::error::{Error, Result};
use crate::gguf::{Dtype, Gguf, TensorInfo};

/// Unquantised weights, row after row; half precision stays half precision in memory.
pub struct Halves {
    pub(crate) cols: usize,
    /// (rows, cols) halves.
    pub(crate) bits: Vec<u16>,
}

/// A weight matrix (rows, cols), ready for the kernels.
pub enum Matrix {
    /// Q4_0 or Q4_1.
    Q4(Packed4),
    /// Q8_0.
    Q8(Packed8),
    /// F16.
    F16(Halves),
    /// F32, (rows, cols) row after row, with its number of columns.
    F32(Vec<f32>, usize),
}

impl Matrix {
    /// Streams tensor `name` of `rows` × `cols` out of the file, a group of rows at a time: the file's bytes
    /// and the packed copy are never whole in memory side by side. `read_bytes` is told of each piece.
    ///
    /// # Errors
    /// The tensor is missing, of another shape, of a type without kernels, or cannot be read.
    pub fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        name: &str,
        (rows, cols): (usize, usize),
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        Self::read_rows(gguf, name, (rows, cols), 0..rows, read_bytes)
    }

    /// As [`Matrix::read`], only the rows `part` of it.
    ///
    /// # Errors
    /// As [`Matrix::read`].
    pub fn read_rows<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        name: &str,
        (rows, cols): (usize, usize),
        part: Range<usize>,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let info = checked(gguf, name, &[rows, cols])?;
        let mut matrix = Self::with_capacity(gguf.file(), &info, part.len(), cols)?;
        let row_bytes = info.bytes / rows as u64;
        let mut raw = vec![0; row_bytes as usize * GROUP.min(part.len())];
        for start in part.clone().step_by(GROUP) {
            let count = GROUP.min(part.end - start);
            let raw = &mut raw[..count * row_bytes as usize];
            gguf.read_range(name, start as u64 * row_bytes, raw)?;
            matrix.push_group(&info.dtype, raw);
            read_bytes(raw.len() as u64);
        }
        Ok(matrix)
    }

    fn with_capacity(file: &str, info: &TensorInfo, rows: usize, cols: usize) -> Result<Self> {
        if matches!(info.dtype, Dtype::Q4_0 | Dtype::Q4_1 | Dtype::Q8_0) && !cols.is_multiple_of(BLOCK) {
            return Err(bad(
                file,
                format!("tensor {} has {cols} columns, not a multiple of {BLOCK}", info.name),
            ));
        }
        Ok(match &info.dtype {
            Dtype::Q4_0 | Dtype::Q4_1 => Self::Q4(Packed4::with_capacity(rows, cols)),
            Dtype::Q8_0 => Self::Q8(Packed8::with_capacity(rows, cols)),
            Dtype::F16 => Self::F16(Halves { cols, bits: Vec::with_capacity(rows * cols) }),
            Dtype::F32 => Self::F32(Vec::with_capacity(rows * cols), cols),
            Dtype::Other(dtype) => return Err(unsupported(file, &info.name, dtype)),
        })
    }

    fn push_group(&mut self, dtype: &Dtype, raw: &[u8]) {
        match self {
            Self::Q4(packed) if *dtype == Dtype::Q4_0 => packed.push_group(Source4::Q4_0, raw),
            Self::Q4(packed) => packed.push_group(Source4::Q4_1, raw),
            Self::Q8(packed) => packed.push_group(raw),
            Self::F16(halves) => {
                halves.bits.extend(raw.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])));
            }
            Self::F32(data, _) => data.extend(floats(raw)),
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Q4(m) => m.rows,
            Self::Q8(m) => m.rows,
            Self::F16(m) => m.bits.len() / m.cols,
            Self::F32(m, cols) => m.len() / cols,
        }
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        match self {
            Self::Q4(m) => m.blocks * BLOCK,
            Self::Q8(m) => m.blocks * BLOCK,
            Self::F16(m) => m.cols,
            Self::F32(_, cols) => *cols,
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        let bytes = match self {
            Self::Q4(m) => size_of_val(m.cells.as_slice()),
            Self::Q8(m) => size_of_val(m.cells.as_slice()),
            Self::F16(m) => size_of_val(m.bits.as_slice()),
            Self::F32(m, _) => size_of_val(m.as_slice()),
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
            Self::F16(m) => {
                let from = &m.bits[row * m.cols..][..m.cols];
                for (out, &bits) in out.iter_mut().zip(from) {
                    *out = f16_to_f32(bits);
                }
            }
            Self::F32(m, cols) => out.copy_from_slice(&m[row * cols..][..*cols]),
        }
    }
}

/// Reads the one-dimensional tensor `name` of `len` elements as f32.
///
/// # Errors
/// As [`Matrix::read`]; vectors are F32 or F16 in every file seen.
pub fn read_vector<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    name: &str,
    len: usize,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<Vec<f32>> {
    let info = checked(gguf, name, &[len])?;
    let mut raw = Vec::new();
    gguf.read(name, &mut raw)?;
    read_bytes(info.bytes);
    match &info.dtype {
        Dtype::F32 => Ok(floats(&raw).collect()),
        Dtype::F16 => Ok(raw.chunks_exact(2).map(|b| f16_to_f32(u16::from_le_bytes([b[0], b[1]]))).collect()),
        other => Err(unsupported(gguf.file(), name, &format!("{other:?}, in a vector"))),
    }
}

fn floats(raw: &[u8]) -> impl Iterator<Item = f32> {
    raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn checked<R: Read + Seek>(gguf: &Gguf<R>, name: &str, want: &[usize]) -> Result<TensorInfo> {
    let info = gguf.tensor(name).ok_or_else(|| bad(gguf.file(), format!("tensor {name} is missing")))?;
    if info.shape != want {
        let cause = format!("tensor {name} has shape {:?}, the metadata call for {want:?}", info.shape);
        return Err(bad(gguf.file(), cause));
    }
    Ok(info.clone())
}

fn bad(file: &str, cause: String) -> Error {
    Error::BadFile { file: file.to_owned(), cause }
}

fn unsupported(file: &str, tensor: &str, dtype: &str) -> Error {
    let cause = format!("tensor {tensor} has type {dtype}; supported are Q4_0, Q4_1, Q8_0, F16 and F32");
    Error::Unsupported { file: file.to_owned(), cause }
}
