//! A bounded walk over an untrusted header, before candle-core parses it: every count, length and dimension
//! is checked against the bytes that are really there, and what is wrong is named. candle-core gets a copy without the
//! lists, since it would hold a vocabulary in several times the memory that it takes, and without the tensors, since it
//! does not know all of their types.

use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read, Seek};

use super::dtype::Kind;
use super::list::List;
use crate::error::{Error, Result};

/// "GGUF".
const MAGIC: [u8; 4] = *b"GGUF";
/// Real files have a few dozen keys and a few hundred tensors.
const MAX_ENTRIES: u64 = 1 << 16;
/// Vocabularies and merge lists are the largest arrays; each element takes 32 bytes once parsed.
const MAX_ELEMENTS: u64 = 1 << 22;
/// Chat templates are the longest strings.
const MAX_STRING: u64 = 1 << 24;
/// ggml's own limit.
const MAX_DIMENSIONS: u32 = 4;
/// Tensors' offsets are multiples of this where `general.alignment` does not say.
const DEFAULT_ALIGNMENT: u64 = 32;
/// GGUF's number for arrays.
const ARRAY: u32 = 9;
/// No file nests arrays deeper.
const MAX_NESTING: usize = 4;

/// A header that was walked.
pub(super) struct Header {
    /// As in the file, without the keys that hold lists and without tensors.
    pub(super) bytes: Vec<u8>,
    /// These keys.
    pub(super) lists: HashMap<String, List>,
    /// The tensors, as the directory names them.
    pub(super) tensors: Vec<Entry>,
    /// Where the tensors' data begin, from the start of the file.
    pub(super) data: u64,
}

/// An entry of the directory.
pub(super) struct Entry {
    pub(super) name: String,
    /// Dimensions, outermost first; their product is no more than eight times the file's bytes.
    pub(super) shape: Vec<usize>,
    pub(super) kind: Kind,
    /// First byte, from the start of the tensors' data.
    pub(super) offset: u64,
}

/// Walks the header, which begins where `reader` stands.
///
/// # Errors
/// The first thing that no sound file has.
pub(super) fn scan<R: Read + Seek>(file: &str, reader: &mut R, file_bytes: u64) -> Result<Header> {
    let mut scan = Scan {
        file,
        reader,
        at: 0,
        file_bytes,
        copy: Vec::new(),
        copying: true,
        lists: HashMap::new(),
        cut: 0,
        alignment: DEFAULT_ALIGNMENT,
    };
    let tensors = scan.header()?;
    let data = scan.at.div_ceil(scan.alignment) * scan.alignment;
    Ok(Header { bytes: scan.copy, lists: scan.lists, tensors, data })
}

struct Scan<'a, R> {
    file: &'a str,
    reader: &'a mut R,
    at: u64,
    file_bytes: u64,
    copy: Vec<u8>,
    /// Whether what is read next goes into the copy.
    copying: bool,
    lists: HashMap<String, List>,
    /// Keys left out of the copy.
    cut: u64,
    alignment: u64,
}

impl<R: Read + Seek> Scan<'_, R> {
    fn header(&mut self) -> Result<Vec<Entry>> {
        if self.file_bytes == 0 {
            return Err(self.bad("the file is empty"));
        }
        let magic: [u8; 4] = self.bytes("the magic number")?;
        if magic != MAGIC {
            return Err(self.bad(&format!("{}; choose a .gguf model file", describe_magic(magic))));
        }
        let version = self.u32("the version")?;
        if !(2..=3).contains(&version) {
            return Err(self.bad(&format!("GGUF version {version}; supported are 2 and 3")));
        }
        let tensors_at = self.copy.len();
        let tensors = self.count("tensor count")?;
        let keys_at = self.copy.len();
        let keys = self.count("metadata count")?;
        for index in 0..keys {
            self.entry(index)?;
        }
        let kept = keys - self.cut;
        self.copy[keys_at..][..8].copy_from_slice(&kept.to_le_bytes());
        self.copy[tensors_at..][..8].fill(0);
        self.copying = false;
        let mut names = HashSet::new();
        (0..tensors)
            .map(|index| {
                let entry = self.tensor(index)?;
                if !names.insert(entry.name.clone()) {
                    return Err(self.bad(&format!("tensor {} is there twice", entry.name)));
                }
                Ok(entry)
            })
            .collect()
    }

    fn entry(&mut self, index: u64) -> Result<()> {
        let begun = self.copy.len();
        let key = self.string(&format!("metadata key {index}"), 1 << 16)?;
        let kind = self.u32(&key)?;
        if key == "general.alignment" {
            let alignment = if kind == 4 { self.u32(&key)? } else { 0 };
            if !alignment.is_power_of_two() || alignment > 1 << 16 {
                return Err(self.bad(&format!("{key} is {alignment}, not a power of two up to 65536")));
            }
            self.alignment = alignment.into();
            return Ok(());
        }
        if kind == ARRAY {
            self.copy.truncate(begun);
            return self.list(key);
        }
        self.value(&key, kind, 0)
    }

    fn list(&mut self, key: String) -> Result<()> {
        self.copying = false;
        let kind = self.u32(&key)?;
        let len = self.u64(&key)?;
        let offset = self.at;
        self.elements(&key, kind, len, 0)?;
        self.copying = true;
        self.cut += 1;
        self.lists.insert(key, List { kind, len, offset, bytes: self.at - offset });
        Ok(())
    }

    fn value(&mut self, key: &str, kind: u32, depth: usize) -> Result<()> {
        match kind {
            0 | 1 | 7 => self.skip(key, 1),
            2 | 3 => self.skip(key, 2),
            4..=6 => self.skip(key, 4),
            10..=12 => self.skip(key, 8),
            8 => {
                let len = self.u64(key)?;
                self.check_length(key, len, MAX_STRING)?;
                self.skip(key, len)
            }
            ARRAY => {
                let kind = self.u32(key)?;
                let len = self.u64(key)?;
                self.elements(key, kind, len, depth)
            }
            other => Err(self.bad(&format!("metadata {key} has the unknown value type {other}"))),
        }
    }

    /// An array's, `depth` arrays deep.
    fn elements(&mut self, key: &str, kind: u32, len: u64, depth: usize) -> Result<()> {
        if len > MAX_ELEMENTS {
            return Err(self.bad(&format!("metadata {key} claims {len} elements, above {MAX_ELEMENTS}")));
        }
        if depth == MAX_NESTING {
            return Err(self.bad(&format!("metadata {key} nests arrays more than {MAX_NESTING} deep")));
        }
        match kind {
            0 | 1 => self.skip(key, len),
            2 | 3 => self.skip(key, 2 * len),
            4..=6 => self.skip(key, 4 * len),
            10..=12 => self.skip(key, 8 * len),
            _ => (0..len).try_for_each(|_| self.value(key, kind, depth + 1)),
        }
    }

    fn tensor(&mut self, index: u64) -> Result<Entry> {
        let name = self.string(&format!("the name of tensor {index}"), 1 << 12)?;
        let rank = self.u32(&name)?;
        if rank == 0 || rank > MAX_DIMENSIONS {
            return Err(self.bad(&format!("tensor {name} has {rank} dimensions, not 1 to {MAX_DIMENSIONS}")));
        }
        let mut elements = 1u64;
        let mut shape = Vec::with_capacity(rank as usize);
        for _ in 0..rank {
            let dimension = self.u64(&name)?;
            // A tensor cannot have more elements than half a nibble a byte of the file would hold.
            elements =
                elements.checked_mul(dimension).filter(|e| *e <= self.file_bytes * 8).ok_or_else(|| {
                    let signed = dimension as i64;
                    let shown = if signed < 0 { signed.to_string() } else { dimension.to_string() };
                    self.bad(&format!(
                        "tensor {name} has a dimension of {shown}, more than the file could hold"
                    ))
                })?;
            shape.insert(0, dimension as usize);
        }
        if elements == 0 {
            return Err(self.bad(&format!("tensor {name} has a dimension of 0")));
        }
        let number = self.u32(&name)?;
        let kind = Kind::of(number).ok_or_else(|| {
            let cause = format!("tensor {name} has the type number {number}, which is not known here");
            Error::Unsupported { file: self.file.to_owned(), cause }
        })?;
        let offset = self.u64(&name)?;
        Ok(Entry { name, shape, kind, offset })
    }

    fn count(&mut self, what: &str) -> Result<u64> {
        let count = self.u64(what)?;
        if count > MAX_ENTRIES {
            return Err(self.bad(&format!("the header claims a {what} of {count}, above {MAX_ENTRIES}")));
        }
        Ok(count)
    }

    fn string(&mut self, what: &str, max: u64) -> Result<String> {
        let len = self.u64(what)?;
        self.check_length(what, len, max)?;
        let mut bytes = vec![0; len as usize];
        self.fill(what, &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn check_length(&self, what: &str, len: u64, max: u64) -> Result<()> {
        if len > max {
            return Err(self.bad(&format!("{what} claims a length of {len} bytes, above {max}")));
        }
        self.check_room(what, len)
    }

    fn check_room(&self, what: &str, len: u64) -> Result<()> {
        let left = self.file_bytes - self.at;
        if len > left {
            return Err(self.bad(&format!(
                "it ends inside its header: {what} needs {len} more bytes and {left} are left; fetch the file again"
            )));
        }
        Ok(())
    }

    fn skip(&mut self, what: &str, len: u64) -> Result<()> {
        self.check_room(what, len)?;
        let skipped = if self.copying {
            let copied = self.reader.by_ref().take(len).read_to_end(&mut self.copy);
            copied.and_then(
                |copied| if copied as u64 == len { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) },
            )
        } else {
            self.reader.seek_relative(len as i64)
        };
        skipped.map_err(|source| self.io(what, source))?;
        self.at += len;
        Ok(())
    }

    fn fill(&mut self, what: &str, out: &mut [u8]) -> Result<()> {
        self.check_room(what, out.len() as u64)?;
        self.reader.read_exact(out).map_err(|source| self.io(what, source))?;
        self.at += out.len() as u64;
        if self.copying {
            self.copy.extend_from_slice(out);
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(what, &mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32> {
        self.bytes(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64> {
        self.bytes(what).map(u64::from_le_bytes)
    }

    fn bad(&self, cause: &str) -> Error {
        Error::BadFile { file: self.file.to_owned(), cause: cause.to_owned() }
    }

    fn io(&self, what: &str, source: std::io::Error) -> Error {
        Error::Io { file: self.file.to_owned(), what: what.to_owned(), source }
    }
}

fn describe_magic(magic: [u8; 4]) -> String {
    match &magic {
        b"\x89PNG" => "it is a PNG image".to_owned(),
        b"PK\x03\x04" => "it is a ZIP archive".to_owned(),
        b"FUGG" => "it is a big-endian GGUF, which is not supported".to_owned(),
        _ => format!("it begins with the bytes {magic:02x?} instead of \"GGUF\""),
    }
}
