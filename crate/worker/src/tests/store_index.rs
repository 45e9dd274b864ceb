//! The list of stored models, and files that a visitor keeps.

use js_sys::AsyncIterator;
use protocol::{Origin, Record};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{AbortController, File, FileSystemDirectoryHandle};

use super::{blob, keep, open, pattern, stored};
use crate::digest::Digest;
use crate::download::{self, ModelSource, Watch};
use crate::errors::{Error, Result};
use crate::store::{self, records, reports};

/// Names of everything at the root of the origin's private file system.
async fn root() -> Vec<String> {
    let root: FileSystemDirectoryHandle =
        crate::js::scope().navigator().storage().get_directory().await.unwrap().unchecked_into();
    let keys: AsyncIterator = root.keys();
    let mut names = Vec::new();
    loop {
        let next = js_sys::Promise::<JsValue>::unchecked_from_js(keys.next().unwrap().into()).await.unwrap();
        if crate::js::get(&next, "done").is_truthy() {
            return names;
        }
        names.extend(crate::js::get(&next, "value").as_string());
    }
}

async fn keep_picked(file: &str, bytes: &[u8]) -> Result<(String, Record)> {
    let signal = AbortController::new().unwrap().signal();
    let watch = Watch { file, total: bytes.len() as u64, signal: &signal, progress: &|_| () };
    download::keep(&ModelSource::Blob(blob(bytes)), &[], watch).await
}

#[wasm_bindgen_test]
async fn looking_something_up_creates_nothing() {
    store::forget().await.unwrap();
    let before = root().await;
    assert!(store::available().await);
    assert!(reports::load("check.0").await.is_none());
    assert!(records::load("none.gguf.0123456789abcdef").await.is_none());
    assert!(matches!(store::file("none.gguf.0123456789abcdef").await, Err(Error::NotStored { .. })));
    assert!(store::list().await.unwrap().models.is_empty());
    store::delete("none.gguf.0123456789abcdef").await.unwrap();
    assert_eq!(root().await, before);
}

#[wasm_bindgen_test]
async fn a_kept_file_is_listed_with_its_record_and_read_back() {
    store::forget().await.unwrap();
    let bytes = pattern(3_000_000);
    let (id, record) = keep_picked("mine.gguf", &bytes).await.unwrap();
    assert_eq!((record.bytes, &record.origin), (3_000_000, &Origin::File));
    assert_eq!(stored(&id).await, bytes);
    // The same bytes once more are the same model.
    assert_eq!(keep_picked("mine.gguf", &bytes).await.unwrap().0, id);
    let models = store::list().await.unwrap();
    assert_eq!(models.models.len(), 1);
    let listed = &models.models[0];
    assert_eq!(
        (listed.id.as_str(), listed.file.as_str(), listed.bytes),
        (id.as_str(), "mine.gguf", 3_000_000)
    );
    assert_eq!(listed.record.as_ref(), Some(&record));
    assert!(models.quota.is_some_and(|(used, quota)| used >= 3_000_000 && quota > used));
    let signal = AbortController::new().unwrap().signal();
    let watch = Watch { file: "mine.gguf", total: record.bytes, signal: &signal, progress: &|_| () };
    assert!(download::kept(&id, &record, watch).await.unwrap().from_storage);
    // One altered byte, and it is no longer what was kept.
    open(&id).await.write_all(7, &super::array(&[255])).unwrap();
    assert!(matches!(download::kept(&id, &record, watch).await, Err(Error::Damaged { .. })));
}

#[wasm_bindgen_test]
async fn a_model_in_several_files_is_stored_as_one_and_handed_out_as_several() {
    store::forget().await.unwrap();
    let bytes = pattern(2_500_000);
    // The second begins and ends in the middle of what is read at once.
    let parts = [&bytes[..1_100_000], &bytes[1_100_000..1_100_007], &bytes[1_100_007..]];
    let names = ["m-1.gguf", "m-2.gguf", "m-3.gguf"];
    let files: Vec<File> = parts.iter().zip(names).map(|(bytes, name)| super::file(bytes, name)).collect();
    let signal = AbortController::new().unwrap().signal();
    let watch = Watch { file: names[0], total: 2_500_000, signal: &signal, progress: &|_| () };
    let source = ModelSource::joined(&files).unwrap();
    let (id, record) = download::keep(&source, &files, watch).await.unwrap();
    let hex = |bytes: &[u8]| {
        let mut digest = Digest::default();
        digest.update(bytes);
        digest.hex()
    };
    assert_eq!(record.sha256, hex(&bytes));
    for ((part, bytes), name) in record.parts.iter().zip(parts).zip(names) {
        assert_eq!((part.file.as_str(), part.bytes), (name, bytes.len() as u64));
        assert_eq!(part.sha256, hex(bytes));
    }
    let listed = store::list().await.unwrap().models;
    assert_eq!((listed.len(), listed[0].bytes, listed[0].record.as_ref()), (1, 2_500_000, Some(&record)));
    let stored = store::file(&id).await.unwrap();
    let out = download::files(&record, &stored).unwrap();
    assert_eq!(out.iter().map(File::name).collect::<Vec<_>>(), names);
    for (file, bytes) in out.into_iter().zip(parts) {
        let mut read = vec![0; bytes.len()];
        let source = ModelSource::Blob(file.into());
        assert_eq!(
            (source.size().unwrap(), source.read_at(0, &mut read).unwrap()),
            (read.len() as u64, read.len())
        );
        assert!(read == bytes);
    }
    // A record that speaks of other files than those that lie there is not believed.
    let mut torn = record.clone();
    torn.parts.pop();
    assert!(matches!(download::files(&torn, &stored), Err(Error::Damaged { .. })));
    store::delete(&id).await.unwrap();
    assert!(store::list().await.unwrap().models.is_empty());
}

#[wasm_bindgen_test]
async fn one_deleted_model_leaves_the_other_and_reports_are_no_models() {
    store::forget().await.unwrap();
    let (one, _) = keep_picked("one.gguf", &pattern(1_000)).await.unwrap();
    let (two, _) = keep_picked("two.gguf", &pattern(2_000)).await.unwrap();
    reports::save("check.0", &engine::Report::cpu("a test".to_owned())).await;
    store::delete(&one).await.unwrap();
    assert!(records::load(&one).await.is_none());
    let names: Vec<String> = store::list().await.unwrap().models.into_iter().map(|model| model.id).collect();
    assert_eq!(names, [two]);
    assert!(reports::load("check.0").await.is_some());
    assert_eq!(store::forget().await.unwrap(), 2_000);
    assert!(reports::load("check.0").await.is_none());
}

#[wasm_bindgen_test]
async fn a_stop_while_keeping_leaves_nothing() {
    store::forget().await.unwrap();
    let bytes = pattern(3_000_000);
    let controller = AbortController::new().unwrap();
    let signal = controller.signal();
    let calls = std::cell::Cell::new(0);
    // The first stage, hashing, ends with its last byte told; the stop comes in the second.
    let progress = |progress: protocol::LoadProgress| {
        calls.set(calls.get() + u32::from(progress.done == progress.total));
        if calls.get() > 0 && progress.done < progress.total {
            controller.abort();
        }
    };
    let watch = Watch { file: "half.gguf", total: bytes.len() as u64, signal: &signal, progress: &progress };
    let kept = download::keep(&ModelSource::Blob(blob(&bytes)), &[], watch).await;
    assert!(matches!(kept, Err(Error::Aborted)));
    assert!(store::list().await.unwrap().models.is_empty());
}

#[wasm_bindgen_test]
async fn a_file_in_use_is_not_deleted_and_says_so() {
    let (id, _) = keep_picked("used.gguf", &pattern(10)).await.unwrap();
    let lock = open(&id).await;
    assert!(matches!(store::delete(&id).await, Err(Error::InUse { .. })));
    assert!(records::load(&id).await.is_some());
    drop(lock);
    store::delete(&id).await.unwrap();
}

#[wasm_bindgen_test]
async fn a_kept_file_survives_a_new_version_of_the_site() {
    let (id, _) = keep_picked("same.gguf", &pattern(11)).await.unwrap();
    keep("same.gguf.0123456789abcdef", b"x").await;
    store::forget_where(|name| name.starts_with("same.gguf.")).await;
    assert_eq!(stored(&id).await.len(), 11);
    assert_eq!(store::size("same.gguf.0123456789abcdef").await, None);
    store::delete(&id).await.unwrap();
}
