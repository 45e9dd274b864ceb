//! A file that the visitor picked and asked to keep: into storage, and from there again.

use js_sys::Uint8Array;
use protocol::{Origin, Record, Stage};
use wasm_bindgen::JsValue;

use super::expected_file::is_plain;
use super::obtain::Obtained;
use super::source::ModelSource;
use super::watch::Watch;
use crate::errors::{Error, Result};
use crate::store::{self, Opened, StoredFile, records};

/// Copies a picked file into storage, unless the same bytes are there; returns its name there and what is remembered of
/// it. It is hashed first, since that name carries the hash.
pub(crate) async fn keep(source: &ModelSource, watch: Watch<'_>) -> Result<(String, Record)> {
    if !is_plain(watch.file) {
        return Err(watch.storage("keeping", &JsValue::from_str("its name cannot be a stored file's name")));
    }
    let read = |at, out: &mut [u8]| source.read_at(at, out);
    let sha256 = watch.hash(Stage::Keep, &read, watch.total).await?.hex();
    let id = store::stored_name(watch.file, &sha256);
    let held = store::size(&id).await;
    let record = match records::load(&id).await {
        Some(record) if held == Some(watch.total) => record,
        _ => {
            let origin = Origin::File;
            let file = watch.file.to_owned();
            Record { file, bytes: watch.total, sha256, origin, used_ms: None, needs: None }
        }
    };
    if held != Some(watch.total) {
        if store::remaining().await.is_some_and(|room| room < watch.total) {
            return Err(watch.storage("keeping", &JsValue::from_str("there is no room for it")));
        }
        match store::open(&id).await {
            Opened::Ours(file) => {
                if let Err(error) = copy(source, &file, watch).await {
                    // Nothing could go on with a half: the file itself may be gone by then.
                    drop(file);
                    store::delete(&id).await.ok();
                    return Err(error);
                }
            }
            Opened::Shared(_) => {
                return Err(watch.storage("keeping", &JsValue::from_str("another tab is writing it")));
            }
            Opened::Unavailable(cause) => return Err(watch.storage("keeping", &JsValue::from_str(&cause))),
        }
    }
    records::save(&id, &record).await;
    Ok((id, record))
}

async fn copy(source: &ModelSource, file: &StoredFile, watch: Watch<'_>) -> Result<()> {
    file.truncate(0).map_err(|thrown| watch.storage("emptying", &thrown))?;
    let read = |at, out: &mut [u8]| source.read_at(at, out);
    let mut write = |at, bytes: &[u8]| file.write_all(at, &Uint8Array::from(bytes));
    watch.each(Stage::Keep, &read, watch.total, &mut write).await?;
    file.flush().map_err(|thrown| watch.storage("writing", &thrown))
}

/// A kept file's bytes, if they are still those that were kept.
pub(crate) async fn kept(id: &str, record: &Record, watch: Watch<'_>) -> Result<Obtained> {
    let source = ModelSource::Blob(store::file(id).await?.into());
    let size = source.size().map_err(|thrown| watch.storage("reading", &thrown))?;
    let whole = size == record.bytes;
    let read = |at, out: &mut [u8]| source.read_at(at, out);
    if !whole || watch.hash(Stage::Storage, &read, size).await?.hex() != record.sha256 {
        return Err(Error::Damaged { file: record.file.clone() });
    }
    Ok(Obtained { source, from_storage: true, stored: true })
}
