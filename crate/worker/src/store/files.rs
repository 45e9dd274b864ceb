//! One stored file: opened, read, written and cut.

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

use super::folder::{Folder, MODELS};
use crate::js;

/// Outcome of opening a stored file.
#[derive(Debug)]
pub(crate) enum Opened {
    /// The file, for us alone.
    Ours(StoredFile),
    /// Another tab has it open; this is what it holds so far.
    Shared(Blob),
    /// There is no storage to be had, and why.
    Unavailable(String),
}

/// Opens or creates a model's file.
pub(crate) async fn open(name: &str) -> Opened {
    made(MODELS, name).await
}

/// Opens or creates a file.
pub(super) async fn made(folder: Folder, name: &str) -> Opened {
    let opened = async {
        let file = folder.made_file(name).await?;
        match file.create_sync_access_handle().await {
            Ok(handle) => Ok(Opened::Ours(StoredFile(handle.unchecked_into()))),
            // One tab at a time may hold the lock; the bytes can be read all the same.
            Err(thrown) if js::error_name(&thrown) == "NoModificationAllowedError" => {
                Ok(Opened::Shared(file.get_file().await?.unchecked_into()))
            }
            Err(thrown) => Err(thrown),
        }
    };
    opened.await.unwrap_or_else(|thrown: JsValue| Opened::Unavailable(js::describe(&thrown)))
}

/// Opens a file that is there, for us alone.
pub(super) async fn found(folder: Folder, name: &str) -> Option<StoredFile> {
    let handle = folder.file(name).await?.create_sync_access_handle().await.ok()?;
    Some(StoredFile(handle.unchecked_into()))
}

/// An open file in the origin's private file system; closing releases its lock.
#[derive(Debug)]
pub(crate) struct StoredFile(FileSystemSyncAccessHandle);

impl StoredFile {
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

impl Drop for StoredFile {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn at(offset: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at_f64(offset as f64);
    options
}
