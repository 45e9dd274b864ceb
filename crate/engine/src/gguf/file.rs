//! The file: its checked header, and reads that stay within a tensor.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use candle_core::quantized::gguf_file::Content;

use super::dtype::Dtype;
use super::metadata::Metadata;
use super::scan::{Entry, scan};
use crate::error::{Error, Result};

/// One tensor of the directory.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// Name, e.g. `blk.0.attn_q.weight`.
    pub name: String,
    /// How its numbers are stored.
    pub dtype: Dtype,
    /// Dimensions, outermost first: (rows, cols).
    pub shape: Vec<usize>,
    /// First byte, from the start of the file.
    pub offset: u64,
    /// Bytes it takes; all of them lie in the file.
    pub bytes: u64,
}

/// A source of a model's bytes.
pub trait ReadSeek: Read + Seek {}

impl<T: Read + Seek> ReadSeek for T {}

/// An open model file: its metadata, and a directory whose every entry lies in the file.
pub struct Gguf<R> {
    pub(super) file: String,
    file_bytes: u64,
    pub(super) metadata: Metadata,
    /// In the order of the file.
    tensors: Vec<TensorInfo>,
    pub(super) reader: R,
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads and checks the header. `file` is the name that messages use.
    ///
    /// # Errors
    /// Not a GGUF, damaged, cut short, or of a type or version that is not known.
    pub fn open(file: &str, mut reader: R) -> Result<Self> {
        let io = |source| Error::Io { file: file.to_owned(), what: "the header".to_owned(), source };
        let file_bytes = reader.seek(SeekFrom::End(0)).map_err(io)?;
        reader.seek(SeekFrom::Start(0)).map_err(io)?;
        // The header is read a few bytes at a time; a reader may be a browser's storage.
        let mut buffered = BufReader::with_capacity(1 << 16, reader);
        let header = scan(file, &mut buffered, file_bytes)?;
        let content = Content::read(&mut Cursor::new(header.bytes)).map_err(|error| Error::BadFile {
            file: file.to_owned(),
            cause: format!("candle-core cannot read its header: {}", first_line(&error)),
        })?;
        let entries = header.tensors.into_iter();
        let mut tensors = entries
            .map(|entry| tensor_info(file, entry, header.data, file_bytes))
            .collect::<Result<Vec<_>>>()?;
        tensors.sort_by_key(|tensor| tensor.offset);
        check_overlap(file, &tensors)?;
        let metadata = Metadata::new(file, content.metadata, header.lists);
        Ok(Self { file: file.to_owned(), file_bytes, metadata, tensors, reader: buffered.into_inner() })
    }

    /// The same, over a reader of any type.
    pub fn boxed(self) -> Gguf<Box<dyn ReadSeek>>
    where
        R: 'static,
    {
        let Self { file, file_bytes, metadata, tensors, reader } = self;
        Gguf { file, file_bytes, metadata, tensors, reader: Box::new(reader) }
    }

    /// Name that messages use.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Bytes of the whole file.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes
    }

    /// The key-value pairs of the header; lists are read with [`Self::texts`] and [`Self::opt_integers`].
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Every tensor, in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The tensor of that name.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// Reads a whole tensor, as stored, replacing what `out` holds.
    ///
    /// # Errors
    /// It does not exist, or cannot be read.
    pub fn read(&mut self, name: &str, out: &mut Vec<u8>) -> Result<()> {
        out.resize(self.found(name)?.bytes as usize, 0);
        self.read_range(name, 0, out)
    }

    /// Reads `out.len()` bytes of a tensor from its byte `start` on.
    ///
    /// # Errors
    /// It does not exist, is shorter, or cannot be read.
    pub fn read_range(&mut self, name: &str, start: u64, out: &mut [u8]) -> Result<()> {
        let tensor = self.found(name)?;
        let end = start.saturating_add(out.len() as u64);
        if end > tensor.bytes {
            let cause = format!("tensor {name} has {} bytes, not {end}", tensor.bytes);
            return Err(Error::BadFile { file: self.file.clone(), cause });
        }
        let at = SeekFrom::Start(tensor.offset + start);
        let read = self.reader.seek(at).and_then(|_| self.reader.read_exact(out));
        read.map_err(|source| Error::Io { file: self.file.clone(), what: format!("tensor {name}"), source })
    }

    fn found(&self, name: &str) -> Result<&TensorInfo> {
        self.tensor(name).ok_or_else(|| Error::BadFile {
            file: self.file.clone(),
            cause: format!("tensor {name} is missing"),
        })
    }
}

/// candle's errors may carry a stack trace; what people need is the first line.
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

fn tensor_info(file: &str, entry: Entry, data: u64, file_bytes: u64) -> Result<TensorInfo> {
    let bad = |cause| Error::BadFile { file: file.to_owned(), cause };
    let Entry { name, shape, kind, offset } = entry;
    let elements: u64 = shape.iter().map(|d| *d as u64).product();
    let columns = shape.last().copied().unwrap_or(1);
    if !columns.is_multiple_of(kind.width) {
        let cause = format!("tensor {name} has rows of {columns}, not whole blocks of {}", kind.width);
        return Err(bad(cause));
    }
    let bytes = elements / kind.width as u64 * kind.bytes as u64;
    let start = data.saturating_add(offset);
    if start.checked_add(bytes).is_none_or(|end| end > file_bytes) {
        let cause = format!(
            "it is cut short: tensor {name} needs {bytes} bytes at offset {start} and the file has {file_bytes}; fetch the file again"
        );
        return Err(bad(cause));
    }
    Ok(TensorInfo { name, dtype: kind.dtype, shape, offset: start, bytes })
}

/// `tensors` in the order of the file.
fn check_overlap(file: &str, tensors: &[TensorInfo]) -> Result<()> {
    for pair in tensors.windows(2) {
        if pair[0].offset + pair[0].bytes > pair[1].offset {
            let cause = format!("tensors {} and {} overlap", pair[0].name, pair[1].name);
            return Err(Error::BadFile { file: file.to_owned(), cause });
        }
    }
    Ok(())
}
