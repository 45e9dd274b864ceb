//! Where a model's bytes go while they arrive.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::Blob;

use super::source::ModelSource;
use crate::store::StoredFile;

/// A growing file.
#[derive(Debug)]
pub(crate) enum DownloadSink {
    /// In storage, for this visit and later ones.
    Stored(StoredFile),
    /// In the browser's memory (not this module's), for this visit only.
    Memory(Vec<Uint8Array>),
}

impl DownloadSink {
    /// Adds a chunk; `offset` is the number of bytes before it.
    pub(crate) fn append(&mut self, offset: u64, chunk: Uint8Array) -> Result<(), JsValue> {
        match self {
            Self::Stored(file) => file.write_all(offset, &chunk),
            Self::Memory(chunks) => {
                chunks.push(chunk);
                Ok(())
            }
        }
    }

    /// Starts over.
    pub(crate) fn clear(&mut self) -> Result<(), JsValue> {
        match self {
            Self::Stored(file) => file.truncate(0),
            Self::Memory(chunks) => {
                chunks.clear();
                Ok(())
            }
        }
    }

    /// The whole, to be read.
    pub(crate) fn into_source(self) -> Result<ModelSource, JsValue> {
        match self {
            Self::Stored(file) => {
                file.flush()?;
                Ok(ModelSource::Stored(file))
            }
            Self::Memory(chunks) => {
                let parts: Array = chunks.iter().collect();
                Ok(ModelSource::Blob(Blob::new_with_buffer_source_sequence(&parts)?))
            }
        }
    }
}
