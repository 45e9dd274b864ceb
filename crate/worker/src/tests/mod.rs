//! Tests in a real dedicated worker of a real browser: storage, hashing and streams are the browser's own.

mod clock;
mod download;
mod messages;
mod source;
mod store_index;
mod task_yield;
mod threads;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::{Blob, File};

use crate::store::{self, Opened, StoredFile};

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Bytes that repeat only after 251, so that a shift by any power of two shows.
fn pattern(count: usize) -> Vec<u8> {
    (0..count).map(|i| (i % 251) as u8).collect()
}

fn array(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_buffer_source_sequence(&Array::of1(&array(bytes))).unwrap()
}

fn file(bytes: &[u8], name: &str) -> File {
    File::new_with_buffer_source_sequence(&Array::of1(&array(bytes)), name).unwrap()
}

async fn open(name: &str) -> StoredFile {
    match store::open(name).await {
        Opened::Ours(file) => file,
        other => panic!("{name} is not ours: {other:?}"),
    }
}

/// Puts a file into storage.
async fn keep(name: &str, bytes: &[u8]) {
    let file = open(name).await;
    file.truncate(0).unwrap();
    file.write_all(0, &array(bytes)).unwrap();
    file.flush().unwrap();
}

/// The bytes stored under a name.
async fn stored(name: &str) -> Vec<u8> {
    let file = open(name).await;
    let mut bytes = vec![0; file.size().unwrap() as usize];
    let count = file.read_at(0, &mut bytes).unwrap();
    assert_eq!(count, bytes.len());
    bytes
}

fn text(value: &str) -> JsValue {
    JsValue::from_str(value)
}
