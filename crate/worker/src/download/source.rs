//! A model's bytes as `Read + Seek`, wherever they lie: the engine streams from here, tensor by tensor,
//! so that the file as a whole is never in wasm memory.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{Blob, File, FileReaderSync};

use crate::js;
use crate::store::StoredFile;

/// Bytes fetched at once: the engine asks for a few thousand at a time, mostly one stretch after the other,
/// and every question to the browser costs as much as copying a hundred thousand.
const WINDOW: usize = 1 << 20;

/// Where a model's bytes lie.
#[derive(Debug)]
pub(crate) enum ModelSource {
    /// In the origin's private file system, locked by us.
    Stored(StoredFile),
    /// In a file that the visitor picked, or in bytes that the browser holds for us.
    Blob(Blob),
}

impl ModelSource {
    /// Files that lie one behind the other.
    pub(crate) fn joined(files: &[File]) -> Result<Self, JsValue> {
        let parts: Array = files.iter().collect();
        Ok(Self::Blob(Blob::new_with_blob_sequence(&parts)?))
    }

    /// Size, bytes.
    pub(crate) fn size(&self) -> Result<u64, JsValue> {
        match self {
            Self::Stored(file) => file.size(),
            Self::Blob(blob) => Ok(blob.size() as u64),
        }
    }

    /// Reads up to `out.len()` bytes from an offset; 0 only at the end.
    pub(crate) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, JsValue> {
        match self {
            Self::Stored(file) => file.read_at(offset, out),
            Self::Blob(blob) => read_blob(blob, offset, out),
        }
    }

    /// A buffered reader from the start.
    pub(crate) fn into_reader(self) -> Result<ModelReader, JsValue> {
        let size = self.size()?;
        Ok(ModelReader { source: self, size, position: 0, window: Vec::new(), window_start: 0 })
    }
}

fn read_blob(blob: &Blob, offset: u64, out: &mut [u8]) -> Result<usize, JsValue> {
    let end = (offset + out.len() as u64) as f64;
    let slice = blob.slice_with_f64_and_f64(offset as f64, end.min(blob.size()))?;
    let buffer = FileReaderSync::new()?.read_as_array_buffer(&slice)?;
    let bytes = Uint8Array::new(&buffer);
    let count = (bytes.length() as usize).min(out.len());
    bytes.subarray(0, count as u32).copy_to(&mut out[..count]);
    Ok(count)
}

/// The engine's reader of a model: a position in a source, and a window of bytes around it.
///
/// Unlike `BufReader` it keeps its bytes when a seek stays inside the window.
#[derive(Debug)]
pub(crate) struct ModelReader {
    source: ModelSource,
    size: u64,
    position: u64,
    window: Vec<u8>,
    /// Offset of the window's first byte.
    window_start: u64,
}

impl ModelReader {
    /// The bytes of the window from the position on.
    fn ahead(&self) -> &[u8] {
        let skip = self.position.checked_sub(self.window_start).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.window.get(skip..)).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<()> {
        self.window.resize(WINDOW, 0);
        let read = self.source.read_at(self.position, &mut self.window);
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        self.window_start = self.position;
        read.map(|_| ()).map_err(|thrown| io::Error::other(js::describe(&thrown)))
    }
}

impl Read for ModelReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.position >= self.size {
            return Ok(0);
        }
        if self.ahead().is_empty() {
            self.fill()?;
        }
        let ahead = self.ahead();
        let count = ahead.len().min(out.len());
        out[..count].copy_from_slice(&ahead[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for ModelReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.size.checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        let outside = || io::Error::new(io::ErrorKind::InvalidInput, "seek to before the start of the file");
        self.position = position.ok_or_else(outside)?;
        Ok(self.position)
    }
}
