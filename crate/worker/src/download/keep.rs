//! A model that the visitor picked and asked to keep: into storage, and from there again. One that comes in several
//! files is stored as one, its files one behind the other.

use js_sys::{Array, Uint8Array};
use protocol::{Origin, Part, Record, Stage};
use wasm_bindgen::JsValue;
use web_sys::{Blob, File};

use super::expected_file::is_plain;
use super::obtain::Obtained;
use super::source::ModelSource;
use super::watch::Watch;
use crate::digest::Digest;
use crate::errors::{Error, Result};
use crate::js;
use crate::store::{self, Opened, StoredFile, records};

/// Copies a picked model into storage, unless the same bytes are there; returns its name there and what is remembered of
/// it. It is hashed first, since that name carries the hash. `files`: those that lie in `source`, where it is several.
pub(crate) async fn keep(source: &ModelSource, files: &[File], watch: Watch<'_>) -> Result<(String, Record)> {
    if !is_plain(watch.file) {
        return Err(watch.storage("keeping", &JsValue::from_str("its name cannot be a stored file's name")));
    }
    let read = |at, out: &mut [u8]| source.read_at(at, out);
    let mut whole = Digest::default();
    let mut digests = Digests::of(files);
    let mut hash = |at, bytes: &[u8]| {
        whole.update(bytes);
        digests.update(at, bytes);
        Ok(())
    };
    watch.each(Stage::Keep, &read, watch.total, &mut hash).await?;
    let sha256 = whole.hex();
    let id = store::stored_name(watch.file, &sha256);
    let held = store::size(&id).await;
    let record = match records::load(&id).await {
        Some(record) if held == Some(watch.total) => record,
        _ => {
            let origin = Origin::File;
            let file = watch.file.to_owned();
            let parts = digests.parts();
            Record { file, bytes: watch.total, sha256, parts, origin, used_ms: None, needs: None }
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

/// Hashes of files that lie one behind the other.
struct Digests(Vec<(String, u64, Digest)>);

impl Digests {
    fn of(files: &[File]) -> Self {
        Self(files.iter().map(|file| (file.name(), file.size() as u64, Digest::default())).collect())
    }

    /// Takes the bytes from offset `at` on; they come in order.
    fn update(&mut self, at: u64, bytes: &[u8]) {
        let mut start = 0;
        for (_, size, digest) in &mut self.0 {
            let end = start + *size;
            let within = |offset: u64| offset.saturating_sub(at).min(bytes.len() as u64) as usize;
            digest.update(&bytes[within(start)..within(end)]);
            start = end;
        }
    }

    fn parts(self) -> Vec<Part> {
        let part = |(file, bytes, digest): (_, _, Digest)| Part { file, bytes, sha256: digest.hex() };
        self.0.into_iter().map(part).collect()
    }
}

/// The files of a stored model, in order, each under its own name; a whole one has one. `stored` is what lies in storage.
pub(crate) fn files(record: &Record, stored: &File) -> Result<Vec<File>> {
    let total = record.parts.iter().fold(0u64, |sum, part| sum.saturating_add(part.bytes));
    if record.parts.is_empty() {
        return Ok(vec![named(stored, &record.file)?]);
    }
    if total as f64 != stored.size() {
        return Err(Error::Damaged { file: record.file.clone() });
    }
    let mut start = 0;
    let slice = |part: &Part| {
        let end = start + part.bytes;
        let slice = stored.slice_with_f64_and_f64(start as f64, end as f64);
        start = end;
        named(&slice.map_err(|thrown| unread(&part.file, &thrown))?, &part.file)
    };
    record.parts.iter().map(slice).collect()
}

/// The same bytes as a file of this name.
pub(crate) fn named(bytes: &Blob, name: &str) -> Result<File> {
    let file = File::new_with_blob_sequence(&Array::of1(bytes), name);
    file.map_err(|thrown| unread(name, &thrown))
}

fn unread(file: &str, thrown: &JsValue) -> Error {
    Error::Storage { file: file.to_owned(), op: "reading", cause: js::describe(thrown) }
}

/// A kept model's bytes, if they are still those that were kept.
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
