//! A model's bytes as `Read + Seek`, wherever they lie: the engine streams from here, tensor by tensor,
//! so that the file as a whole is never in wasm memory.

use std::io::{self, Read, Seek, SeekFrom};

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Blob, FileReaderSync, FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

use crate::js;

/// Bytes fetched at once: the engine asks for a few thousand at a time, mostly one stretch after the other,
/// and every question to the browser costs as much as copying a hundred thousand.
const WINDOW: usize = 1 << 20;

/// An open file in the origin's private file system; closing releases its lock.
#[derive(Debug)]
pub(crate) struct Handle(FileSystemSyncAccessHandle);

impl Handle {
    pub(crate) fn new(handle: FileSystemSyncAccessHandle) -> Self {
        Self(handle)
    }

    /// Size of the file, bytes.
    pub(crate) fn size(&self) -> Result<u64, JsValue> {
        self.0.get_size().map(|size| size as u64)
    }

    /// Cuts the file to a size, bytes.
    pub(crate) fn truncate(&self, size: u64) -> Result<(), JsValue> {
        self.0.truncate_with_f64(size as f64)
    }

    /// Writes all of `bytes` at an offset.
    pub(crate) fn write_all(&self, offset: u64, bytes: &Uint8Array) -> Result<(), JsValue> {
        let mut written = 0;
        while written < bytes.length() {
            let at = at(offset + u64::from(written));
            let rest = bytes.subarray(written, bytes.length());
            match self.0.write_with_js_u8_array_and_options(&rest, &at)? as u32 {
                // A full disk may show as a short write only.
                0 => return Err(js_sys::Error::new("no more bytes could be written").into()),
                count => written += count,
            }
        }
        Ok(())
    }

    /// Makes what was written survive the worker's end.
    pub(crate) fn flush(&self) -> Result<(), JsValue> {
        self.0.flush()
    }

    /// Reads up to `out.len()` bytes from an offset; 0 only at the end.
    pub(crate) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, JsValue> {
        self.0.read_with_u8_array_and_options(out, &at(offset)).map(|count| count as usize)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn at(offset: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at_f64(offset as f64);
    options
}

/// Where a model's bytes lie.
#[derive(Debug)]
pub(crate) enum Source {
    /// In the origin's private file system, locked by us.
    Handle(Handle),
    /// In a file that the visitor picked, or in bytes that the browser holds for us.
    Blob(Blob),
}

impl Source {
    /// Size, bytes.
    pub(crate) fn size(&self) -> Result<u64, JsValue> {
        match self {
            Self::Handle(handle) => handle.size(),
            Self::Blob(blob) => Ok(blob.size() as u64),
        }
    }

    /// Reads up to `out.len()` bytes from an offset; 0 only at the end.
    pub(crate) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, JsValue> {
        match self {
            Self::Handle(handle) => handle.read_at(offset, out),
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

/// What the engine reads a model from: a position in a source, and a window of bytes around it.
///
/// Unlike `BufReader` it keeps its bytes when a seek stays inside the window.
#[derive(Debug)]
pub(crate) struct ModelReader {
    source: Source,
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
