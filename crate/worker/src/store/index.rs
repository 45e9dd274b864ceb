//! Model files in the origin's private file system (OPFS).
//!
//! A model's file is named after its content: file name and the start of its SHA-256. There is no mark for
//! "complete": a file is whole when its size and its hash say so, which is checked at every load. So a
//! write that broke off, at whatever byte, can be gone on with and can never be taken for a model.

use js_sys::{AsyncIterator, Promise};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions, StorageManager,
};

use crate::errors::{Error, Result};
use crate::js;

/// The folder of our files.
const FOLDER: &str = "models";

/// Whether files can be kept here at all. Private windows and plain-HTTP origins say no.
pub(crate) async fn available() -> bool {
    folder().await.is_ok()
}

/// Removes every stored model; returns the bytes they held.
pub(crate) async fn forget() -> Result<u64> {
    let folder = match folder().await {
        Ok(folder) => folder,
        // A folder that cannot be opened holds nothing of ours.
        Err(_) => return Ok(0),
    };
    let files = files(&folder).await.map_err(|thrown| refused("listing the models", &thrown))?;
    let mut bytes = 0;
    for (name, size) in files {
        let removed = folder.remove_entry(&name).await;
        removed.map_err(|thrown| refused("removing a model", &thrown))?;
        bytes += size;
    }
    Ok(bytes)
}

/// Removes the files with such names. Best effort, since a tab may still be reading one.
pub(crate) async fn forget_where(is_such: impl Fn(&str) -> bool) {
    let Ok(folder) = folder().await else { return };
    let Ok(files) = files(&folder).await else { return };
    for (name, _) in files.iter().filter(|(name, _)| is_such(name)) {
        folder.remove_entry(name).await.ok();
    }
}

/// Names and sizes (bytes) of the stored files.
async fn files(folder: &FileSystemDirectoryHandle) -> Result<Vec<(String, u64)>, JsValue> {
    let mut files = Vec::new();
    let values: AsyncIterator = folder.values();
    loop {
        let next = Promise::<JsValue>::unchecked_from_js(values.next()?.into()).await?;
        if js::get(&next, "done").is_truthy() {
            return Ok(files);
        }
        let handle: FileSystemFileHandle = js::get(&next, "value").unchecked_into();
        let file: File = handle.get_file().await?.unchecked_into();
        files.push((handle.name(), file.size() as u64));
    }
}

pub(super) async fn folder() -> Result<FileSystemDirectoryHandle, JsValue> {
    let manager = manager().ok_or_else(|| JsValue::from_str("this browser keeps no files for pages"))?;
    let root: FileSystemDirectoryHandle = manager.get_directory().await?.unchecked_into();
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    Ok(root.get_directory_handle_with_options(FOLDER, &options).await?.unchecked_into())
}

/// The storage manager, where it and the methods used here exist: older browsers lack some, and insecure
/// contexts lack them all.
pub(super) fn manager() -> Option<StorageManager> {
    let storage = js::scope().navigator().storage();
    let handle = js::get(&js::get(&js_sys::global(), "FileSystemFileHandle"), "prototype");
    let there = js::get(&storage, "getDirectory").is_function()
        && js::get(&handle, "createSyncAccessHandle").is_function();
    there.then_some(storage)
}

fn refused(op: &'static str, thrown: &JsValue) -> Error {
    Error::Forget { op, cause: js::describe(thrown) }
}
