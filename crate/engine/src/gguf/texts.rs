//! The header's lists: vocabularies and merges, tens of thousands of entries. They stay in the file, and are read
//! when somebody needs them, in the form that takes least memory.

use std::io::{BufReader, Read, Seek, SeekFrom};

use super::file::Gguf;
use super::list::List;
use crate::error::{Error, Result};

/// GGUF's number for texts.
const TEXT: u32 = 8;

/// Bytes of the longest list that is read; vocabularies have about one million.
const MAX_BYTES: u64 = 1 << 28;

/// Many short texts, one behind the other in one allocation.
#[derive(Debug, Default)]
pub struct Texts {
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Texts {
    fn push(&mut self, bytes: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(bytes));
        self.ends.push(self.text.len() as u32);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text at `index`.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<R: Read + Seek> Gguf<R> {
    /// Reads a list of texts.
    ///
    /// # Errors
    /// The key is missing or holds something else, or the list cannot be read.
    pub fn texts(&mut self, key: &str) -> Result<Texts> {
        let list = self.metadata.list(key, "a list of texts", |kind| kind == TEXT)?;
        let list = self.metadata.required(key, list)?;
        let mut elements = Elements::new(self, key, list)?;
        let mut texts = Texts {
            text: String::with_capacity(list.bytes.saturating_sub(list.len * 8) as usize),
            ends: Vec::with_capacity(list.len as usize),
        };
        let mut bytes = Vec::new();
        for _ in 0..list.len {
            let len = u64::from_le_bytes(elements.take()?);
            elements.fill(len, &mut bytes)?;
            // Some writers put a terminator behind their texts.
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            texts.push(&bytes[..end]);
        }
        Ok(texts)
    }

    /// Reads a list of floats of 32 bits; one of whole numbers of 32 bits is taken for such.
    ///
    /// # Errors
    /// The key is missing or holds something else, or the list cannot be read.
    pub fn floats(&mut self, key: &str) -> Result<Vec<f32>> {
        let list = self.metadata.list(key, "a list of floats", |kind| matches!(kind, 5 | 6))?;
        let list = self.metadata.required(key, list)?;
        let mut elements = Elements::new(self, key, list)?;
        let float =
            |bytes| if list.kind == 5 { i32::from_le_bytes(bytes) as f32 } else { f32::from_le_bytes(bytes) };
        (0..list.len).map(|_| elements.take().map(float)).collect()
    }

    /// Reads a list of whole numbers, `None` when the key is missing.
    ///
    /// # Errors
    /// The key holds something else, or the list cannot be read.
    pub fn opt_integers(&mut self, key: &str) -> Result<Option<Vec<i64>>> {
        let integers = |kind| matches!(kind, 0..=5 | 10 | 11);
        let Some(list) = self.metadata.list(key, "a list of whole numbers", integers)? else {
            return Ok(None);
        };
        let mut elements = Elements::new(self, key, list)?;
        (0..list.len).map(|_| elements.integer(list.kind)).collect::<Result<_>>().map(Some)
    }
}

/// A list's elements, one after the other.
struct Elements<'a, R: ?Sized> {
    file: &'a str,
    key: &'a str,
    reader: BufReader<&'a mut R>,
    /// Bytes of the list not yet read.
    left: u64,
}

impl<'a, R: Read + Seek> Elements<'a, R> {
    fn new(gguf: &'a mut Gguf<R>, key: &'a str, list: List) -> Result<Self> {
        if list.bytes > MAX_BYTES {
            let cause = format!("metadata {key} has {} bytes, above {MAX_BYTES}", list.bytes);
            return Err(Error::BadFile { file: gguf.file.clone(), cause });
        }
        let reader = BufReader::with_capacity(1 << 14, &mut gguf.reader);
        let mut elements = Self { file: &gguf.file, key, reader, left: list.bytes };
        elements.reader.seek(SeekFrom::Start(list.offset)).map_err(|source| elements.io(source))?;
        Ok(elements)
    }

    /// Replaces `out` by the next `len` bytes.
    fn fill(&mut self, len: u64, out: &mut Vec<u8>) -> Result<()> {
        // The header was checked when the file was opened, but a file may change after that.
        self.left = self.left.checked_sub(len).ok_or_else(|| Error::BadFile {
            file: self.file.to_owned(),
            cause: format!("metadata {} is not what it was when the file was opened", self.key),
        })?;
        out.resize(len as usize, 0);
        self.reader.read_exact(out).map_err(|source| self.io(source))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.left = self.left.saturating_sub(N as u64);
        self.reader.read_exact(&mut bytes).map_err(|source| self.io(source))?;
        Ok(bytes)
    }

    /// The next element, of one of GGUF's whole-number types.
    fn integer(&mut self, kind: u32) -> Result<i64> {
        Ok(match kind {
            0 => u8::from_le_bytes(self.take()?).into(),
            1 => i8::from_le_bytes(self.take()?).into(),
            2 => u16::from_le_bytes(self.take()?).into(),
            3 => i16::from_le_bytes(self.take()?).into(),
            4 => u32::from_le_bytes(self.take()?).into(),
            5 => i32::from_le_bytes(self.take()?).into(),
            10 => u64::from_le_bytes(self.take()?).try_into().unwrap_or(i64::MAX),
            _ => i64::from_le_bytes(self.take()?),
        })
    }

    fn io(&self, source: std::io::Error) -> Error {
        Error::Io { file: self.file.to_owned(), what: format!("metadata {}", self.key), source }
    }
}
