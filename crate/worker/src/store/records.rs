//! What is remembered of a stored model, a small file each in a folder of its own. One that is missing or torn costs a
//! line in the list, never a model.

use js_sys::Uint8Array;
use protocol::Record;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::files::{Opened, found, made};
use super::folder::Folder;

const RECORDS: Folder = Folder("records");

/// Largest file that is believed, bytes.
const LARGEST: u64 = 1 << 16;

/// What is remembered of a stored model.
pub(crate) async fn load(id: &str) -> Option<Record> {
    load_json(RECORDS, id).await
}

/// Remembers it, if storage lets it.
pub(crate) async fn save(id: &str, record: &Record) {
    save_json(RECORDS, id, record).await;
}

pub(super) async fn forget(id: &str) {
    RECORDS.remove(id).await.ok();
}

pub(super) async fn forget_all() {
    empty(RECORDS).await;
}

/// Removes every file of a folder, as far as storage lets it.
pub(super) async fn empty(folder: Folder) {
    for (name, _) in folder.files().await.unwrap_or_default() {
        folder.remove(&name).await.ok();
    }
}

/// A small file's value; `None` where there is none, or its bytes are no such value.
pub(super) async fn load_json<T: DeserializeOwned>(folder: Folder, name: &str) -> Option<T> {
    let file = found(folder, name).await?;
    let size = file.size().ok().filter(|size| *size <= LARGEST)?;
    let mut bytes = vec![0; size as usize];
    let count = file.read_at(0, &mut bytes).ok()?;
    serde_json::from_slice(&bytes[..count]).ok()
}

/// Rewrites a small file; one that another tab has open keeps that tab's word.
pub(super) async fn save_json<T: Serialize>(folder: Folder, name: &str, value: &T) {
    let Opened::Ours(file) = made(folder, name).await else { return };
    let Ok(json) = serde_json::to_vec(value) else { return };
    let written = file.truncate(0).and_then(|()| file.write_all(0, &Uint8Array::from(json.as_slice())));
    written.and_then(|()| file.flush()).ok();
}
