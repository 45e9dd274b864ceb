//! The models in storage: which there are, one away, all away, one out.
//!
//! A model's file is named after its content: file name and the start of its SHA-256. There is no mark for
//! "complete": a file is whole when its size and its hash say so, which is checked at every load. So a
//! write that broke off, at whatever byte, can be gone on with and can never be taken for a model. The folder is the
//! list; what else is remembered of a model lies beside it, a file each, so that two tabs never write one list.

use protocol::{Models, Origin, Stored};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

use super::folder::MODELS;
use super::{quota, records, reports};
use crate::errors::{Error, Result};
use crate::js;

/// Hex digits of the hash that a stored file's name carries.
const PREFIX: usize = 16;

/// Name in storage: another content gets another name, so stale bytes are never gone on with.
pub(crate) fn stored_name(file: &str, sha256: &str) -> String {
    format!("{file}.{}", &sha256[..PREFIX])
}

/// A stored file's own name and the start of its hash; `None` where it is no model of ours.
pub(crate) fn parts_of(stored: &str) -> Option<(&str, &str)> {
    let (file, hash) = stored.rsplit_once('.')?;
    let is_hash = hash.len() == PREFIX && hash.bytes().all(|b| b.is_ascii_hexdigit());
    (is_hash && !file.is_empty()).then_some((file, hash))
}

/// Every stored model, and the room for them. Empty files are downloads that brought nothing.
pub(crate) async fn list() -> Result<Models> {
    let mut files = MODELS.files().await.map_err(|thrown| refused("listing the models", &thrown))?;
    files.sort();
    let mut models = Vec::new();
    for (id, bytes) in files {
        // Reports of an earlier version lie here too.
        if let Some((file, _)) = parts_of(&id).filter(|_| bytes > 0) {
            let file = file.to_owned();
            let record = records::load(&id).await;
            models.push(Stored { id, file, bytes, record });
        }
    }
    Ok(Models { models, quota: quota::used_of().await, persisted: quota::persisted().await })
}

/// Removes one stored model and what is remembered of it.
pub(crate) async fn delete(id: &str) -> Result<()> {
    MODELS.remove(id).await.map_err(|thrown| refused(&format!("removing {id}"), &thrown))?;
    records::forget(id).await;
    Ok(())
}

/// Removes every stored model and what was found out about them; returns the bytes that the models held.
pub(crate) async fn forget() -> Result<u64> {
    let files = MODELS.files().await.map_err(|thrown| refused("listing the models", &thrown))?;
    let mut bytes = 0;
    for (name, size) in files {
        MODELS.remove(&name).await.map_err(|thrown| refused("removing a model", &thrown))?;
        bytes += size;
    }
    records::forget_all().await;
    reports::forget_all().await;
    Ok(bytes)
}

/// Removes the site's models with such names; a file that the visitor kept stays. Best effort, since a tab may still be
/// reading one.
pub(crate) async fn forget_where(is_such: impl Fn(&str) -> bool) {
    let files = MODELS.files().await.unwrap_or_default();
    for (name, _) in files.iter().filter(|(name, _)| is_such(name)) {
        if records::load(name).await.is_none_or(|record| record.origin != Origin::File) {
            delete(name).await.ok();
        }
    }
}

/// Removes a model's file if it holds nothing.
pub(crate) async fn forget_empty(id: &str) {
    let files = MODELS.files().await.unwrap_or_default();
    if files.iter().any(|(name, size)| name == id && *size == 0) {
        delete(id).await.ok();
    }
}

/// Bytes of a stored model that are here; `None` where it is not stored.
pub(crate) async fn size(id: &str) -> Option<u64> {
    file(id).await.ok().map(|file| file.size() as u64)
}

/// A stored model's file as it lies there, to be read or handed out.
pub(crate) async fn file(id: &str) -> Result<File> {
    let handle = MODELS.file(id).await.ok_or_else(|| Error::NotStored { id: id.to_owned() })?;
    let file = handle.get_file().await.map_err(|thrown| refused(&format!("reading {id}"), &thrown))?;
    Ok(file.unchecked_into())
}

fn refused(op: &str, thrown: &JsValue) -> Error {
    match js::error_name(thrown).as_str() {
        "NoModificationAllowedError" => Error::InUse { op: op.to_owned() },
        _ => Error::Forget { op: op.to_owned(), cause: js::describe(thrown) },
    }
}
