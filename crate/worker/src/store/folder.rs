//! Folders of the origin's private file system (OPFS). Looking into one that is not there creates nothing.

use js_sys::{AsyncIterator, Promise};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, StorageManager,
};

use crate::js;

/// A folder of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folder(pub(super) &'static str);

/// Where model files lie.
pub(super) const MODELS: Folder = Folder("models");

impl Folder {
    /// The folder, made if it is not there.
    pub(super) async fn made(self) -> Result<FileSystemDirectoryHandle, JsValue> {
        let options = FileSystemGetDirectoryOptions::new();
        options.set_create(true);
        Ok(root().await?.get_directory_handle_with_options(self.0, &options).await?.unchecked_into())
    }

    /// The folder, if it is there.
    pub(super) async fn found(self) -> Option<FileSystemDirectoryHandle> {
        let root = root().await.ok()?;
        Some(root.get_directory_handle(self.0).await.ok()?.unchecked_into())
    }

    /// A file in it; `None` where it is not there.
    pub(super) async fn file(self, name: &str) -> Option<FileSystemFileHandle> {
        Some(self.found().await?.get_file_handle(name).await.ok()?.unchecked_into())
    }

    /// A file in it, made if it is not there.
    pub(super) async fn made_file(self, name: &str) -> Result<FileSystemFileHandle, JsValue> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        Ok(self.made().await?.get_file_handle_with_options(name, &options).await?.unchecked_into())
    }

    /// Names and sizes (bytes) of the files in it.
    pub(super) async fn files(self) -> Result<Vec<(String, u64)>, JsValue> {
        let Some(folder) = self.found().await else { return Ok(Vec::new()) };
        let mut files = Vec::new();
        let values: AsyncIterator = folder.values();
        loop {
            let next = Promise::<JsValue>::unchecked_from_js(values.next()?.into()).await?;
            if js::get(&next, "done").is_truthy() {
                return Ok(files);
            }
            let handle: FileSystemFileHandle = js::get(&next, "value").unchecked_into();
            // Another tab may have removed it meanwhile.
            if let Ok(file) = handle.get_file().await {
                let file: File = file.unchecked_into();
                files.push((handle.name(), file.size() as u64));
            }
        }
    }

    /// Removes a file; one that is not there is removed already.
    pub(super) async fn remove(self, name: &str) -> Result<(), JsValue> {
        let Some(folder) = self.found().await else { return Ok(()) };
        match folder.remove_entry(name).await {
            Err(thrown) if js::error_name(&thrown) != "NotFoundError" => Err(thrown),
            _ => Ok(()),
        }
    }
}

/// Whether files can be kept here at all. Private windows and plain-HTTP origins say no.
pub(crate) async fn available() -> bool {
    root().await.is_ok()
}

async fn root() -> Result<FileSystemDirectoryHandle, JsValue> {
    let manager = manager().ok_or_else(|| JsValue::from_str("this browser keeps no files for pages"))?;
    Ok(manager.get_directory().await?.unchecked_into())
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
