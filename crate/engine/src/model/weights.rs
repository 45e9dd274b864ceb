//! The only loader: checks the tensors of a step and hands them to a [`Sink`], which packs them for the processor or
//! sends them to a GPU.

use std::io::{Read, Seek};

use super::plan::{Op, Plan, Vector};
use super::rope::{Rotation, rotation};
use super::spec::{Halves, Rows};
use crate::error::{Error, Result};
use crate::format::{Format, f16_to_f32};
use crate::gguf::{Dtype, Gguf, TensorInfo};

/// Takes the weights of a step.
pub trait Sink {
    /// The vectors of the step, in the order of [`Op::vectors`]; called where it has any.
    ///
    /// # Errors
    /// There is no room for them.
    fn vectors(&mut self, vectors: Vec<Vec<f32>>) -> Result<()>;

    /// The matrices of the step, of one number of columns; their bytes are read from `reader`.
    ///
    /// # Errors
    /// They cannot be read, or there is no room for them, or no kernels.
    fn matrices<R: Read + Seek>(&mut self, matrices: &[Source], reader: &mut Reader<R>) -> Result<()>;
}

/// Rows of a tensor that is there, of the right shape, and in a format that has kernels.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name of the tensor.
    pub tensor: String,
    /// How its weights are stored.
    pub format: Format,
    /// Rows that are wanted.
    pub rows: usize,
    /// Columns of each.
    pub cols: usize,
    /// Bytes of each.
    pub row_bytes: usize,
    first_row: usize,
    halves: Option<Halves>,
}

/// Reads weights from a file, and reports how many bytes.
pub struct Reader<'a, R> {
    gguf: &'a mut Gguf<R>,
    read_bytes: &'a mut dyn FnMut(u64),
}

/// Hands the weights of step `index` of the plan to `sink`; of a head that is tied to the embedding, the vectors alone.
///
/// # Errors
/// As [`load`].
pub fn load_resident<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Plan,
    index: usize,
    read_bytes: &mut dyn FnMut(u64),
    sink: &mut impl Sink,
) -> Result<()> {
    let op = &plan.ops()[index];
    if index == plan.head() && plan.spec.tied() {
        load_vectors(gguf, op, read_bytes, sink)
    } else {
        load(gguf, op, read_bytes, sink)
    }
}

/// Hands the weights of `op` to `sink`, its vectors last. `read_bytes` gets the bytes of every read.
///
/// # Errors
/// A tensor is missing, of another shape, or in a format without kernels; it cannot be read; the sink's.
pub fn load<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    op: &Op,
    read_bytes: &mut dyn FnMut(u64),
    sink: &mut impl Sink,
) -> Result<()> {
    let mut reader = Reader { gguf, read_bytes };
    let sources = op.weights().iter().map(|rows| reader.source(rows)).collect::<Result<Vec<_>>>()?;
    sink.matrices(&sources, &mut reader)?;
    load_vectors(gguf, op, read_bytes, sink)
}

fn load_vectors<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    op: &Op,
    read_bytes: &mut dyn FnMut(u64),
    sink: &mut impl Sink,
) -> Result<()> {
    let vectors = op.vectors();
    if vectors.is_empty() {
        return Ok(());
    }
    let mut reader = Reader { gguf, read_bytes };
    sink.vectors(vectors.iter().map(|vector| reader.vector(vector)).collect::<Result<_>>()?)
}

/// The plan's rotations, worked out.
///
/// # Errors
/// As [`load`], of the tensors with factors.
pub fn load_ropes<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Plan,
    read_bytes: &mut dyn FnMut(u64),
) -> Result<Vec<Rotation>> {
    let mut reader = Reader { gguf, read_bytes };
    let rotations = plan.ropes.iter().map(|rope| {
        let factors = rope.factors.as_ref().map(|tensor| {
            reader.vector(&Vector { tensor: tensor.clone(), len: rope.dims / 2, halves: None })
        });
        Ok(rotation(rope, factors.transpose()?.as_deref()))
    });
    rotations.collect()
}

impl<R: Read + Seek> Reader<'_, R> {
    /// Name of the file, for messages.
    pub fn file(&self) -> &str {
        self.gguf.file()
    }

    /// Reads whole rows of `source` from its row `first` on; heads that are stored in halves come out in pairs.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn rows(&mut self, source: &Source, first: usize, out: &mut [u8]) -> Result<()> {
        let Source { row_bytes, halves, .. } = *source;
        let first = source.first_row + first;
        let Some(halves) = halves else {
            return self.run(source, first, out);
        };
        let rows = first..first + out.len() / row_bytes;
        let mut run = Vec::new();
        // Every other row of a head is the next one of the file: two reads a head, not one a row.
        for parity in [0, 1] {
            let mut wanted = rows.clone().filter(|row| row % 2 == parity).peekable();
            while let Some(row) = wanted.next() {
                let stored = halves.stored(row);
                let mut count = 1;
                while wanted.next_if(|next| halves.stored(*next) == stored + count).is_some() {
                    count += 1;
                }
                run.resize(count * row_bytes, 0);
                self.run(source, stored, &mut run)?;
                for (index, bytes) in run.chunks_exact(row_bytes).enumerate() {
                    let place = row + 2 * index - rows.start;
                    out[place * row_bytes..][..row_bytes].copy_from_slice(bytes);
                }
            }
        }
        Ok(())
    }

    /// Reads rows that follow each other in the file, from row `first` of the tensor on.
    fn run(&mut self, source: &Source, first: usize, out: &mut [u8]) -> Result<()> {
        let start = first as u64 * source.row_bytes as u64;
        self.gguf.read_range(&source.tensor, start, out)?;
        (self.read_bytes)(out.len() as u64);
        Ok(())
    }

    fn source(&self, rows: &Rows) -> Result<Source> {
        let info = self.checked(&rows.tensor, &[rows.shape.0, rows.shape.1])?;
        let Dtype::Known(format) = info.dtype else {
            return Err(self.unsupported(&rows.tensor, &info.dtype.to_string()));
        };
        Ok(Source {
            tensor: rows.tensor.clone(),
            format,
            rows: rows.rows.len(),
            cols: rows.cols(),
            row_bytes: (info.bytes / rows.shape.0 as u64) as usize,
            first_row: rows.rows.start,
            halves: rows.halves,
        })
    }

    /// F32 or F16 in every file seen.
    fn vector(&mut self, vector: &Vector) -> Result<Vec<f32>> {
        let Vector { tensor: name, len, halves } = vector;
        let info = self.checked(name, &[*len])?;
        let values: fn(&[u8]) -> Vec<f32> = match &info.dtype {
            Dtype::Known(Format::F32) => {
                |raw| raw.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
            }
            Dtype::Known(Format::F16) => {
                |raw| raw.chunks_exact(2).map(|b| f16_to_f32(u16::from_le_bytes([b[0], b[1]]))).collect()
            }
            other => return Err(self.unsupported(name, &format!("{other}, in a vector"))),
        };
        let mut raw = Vec::new();
        self.gguf.read(name, &mut raw)?;
        (self.read_bytes)(raw.len() as u64);
        let stored = values(&raw);
        Ok(match halves {
            Some(halves) => (0..*len).map(|element| stored[halves.stored(element)]).collect(),
            None => stored,
        })
    }

    fn checked(&self, name: &str, want: &[usize]) -> Result<&TensorInfo> {
        let bad = |cause| Error::BadFile { file: self.gguf.file().to_owned(), cause };
        let info = self.gguf.tensor(name).ok_or_else(|| bad(format!("tensor {name} is missing")))?;
        if info.shape != want {
            return Err(bad(format!(
                "tensor {name} has shape {:?}, the metadata call for {want:?}",
                info.shape
            )));
        }
        Ok(info)
    }

    fn unsupported(&self, tensor: &str, dtype: &str) -> Error {
        let known = Format::ALL.map(|format| format.to_string());
        let (last, others) = known.split_last().map_or(("", &[][..]), |(last, others)| (last, others));
        let cause =
            format!("tensor {tensor} has type {dtype}; supported are {} and {last}", others.join(", "));
        Error::Unsupported { file: self.gguf.file().to_owned(), cause }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::testing;

    /// Rows of heads of 16, of which 12 are in halves, read in pieces that meet no head's edges.
    #[test]
    fn rows_of_halves_come_out_in_pairs() {
        let file = testing::file(GgmlDType::Q8_0);
        let mut gguf = Gguf::open("tiny.gguf", Cursor::new(file)).unwrap();
        let mut read_bytes = 0;
        let mut count = |bytes| read_bytes += bytes;
        let mut reader = Reader { gguf: &mut gguf, read_bytes: &mut count };
        let all = Rows::all("blk.0.attn_q.weight", testing::WIDTH, testing::WIDTH);
        let halves = Some(Halves { head_dim: 16, dims: 12 });
        let plain = reader.source(&all).unwrap();
        let ordered = reader.source(&Rows { halves, ..all.slice(3..61) }).unwrap();
        let row = plain.row_bytes;
        let mut stored = vec![0; testing::WIDTH * row];
        reader.rows(&plain, 0, &mut stored).unwrap();
        let mut got = vec![0; 58 * row];
        got.chunks_mut(5 * row).enumerate().for_each(|(piece, out)| {
            reader.rows(&ordered, piece * 5, out).unwrap();
        });
        assert_eq!(read_bytes, ((64 + 58) * row) as u64);
        for (index, got) in got.chunks_exact(row).enumerate() {
            let (head, place) = ((index + 3) / 16, (index + 3) % 16);
            let want = [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11, 12, 13, 14, 15][place];
            assert_eq!(got, &stored[(head * 16 + want) * row..][..row], "row {index}");
        }
    }
}
