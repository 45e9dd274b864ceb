//! A server made of canned responses, the browser's own storage.

use std::cell::{Cell, RefCell};

use protocol::LoadProgress;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{AbortController, Headers, ReadableStream, Response, ResponseInit};

use super::{array, keep, open, pattern, stored};
use crate::digest::Digest;
use crate::download::{Download, ExpectedFile, Fetch, Obtained, content_range, same_origin};
use crate::errors::{Error, Result};
use crate::store;

/// How the canned server answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// Whole files and ranges.
    Full,
    /// Whole files only.
    NoRanges,
    /// Breaks off after so many bytes of a response.
    BreaksAfter(usize),
    /// 416 to every range.
    Unsatisfiable,
    /// This status to everything.
    Status(u16),
    /// No answer.
    Down,
}

struct Server {
    bytes: Vec<u8>,
    manner: Cell<Manner>,
    /// First byte of every request.
    asked: RefCell<Vec<u64>>,
}

impl Server {
    fn new(bytes: &[u8], manner: Manner) -> Self {
        Self { bytes: bytes.to_vec(), manner: Cell::new(manner), asked: RefCell::default() }
    }

    fn asked(&self) -> Vec<u64> {
        self.asked.take()
    }
}

impl Fetch for Server {
    async fn get(&self, _url: &str, from: u64) -> Result<Response, JsValue> {
        self.asked.borrow_mut().push(from);
        let total = self.bytes.len();
        let ranges = !matches!(self.manner.get(), Manner::NoRanges);
        let start = if ranges { from as usize } else { 0 };
        match self.manner.get() {
            Manner::Down => Err(js_sys::Error::new("no route").into()),
            Manner::Status(status) => response(status, None, b"<html>", false),
            Manner::Unsatisfiable if from > 0 => response(416, None, b"", false),
            Manner::BreaksAfter(count) => {
                let range = (from > 0).then(|| format!("bytes {start}-{}/{total}", total - 1));
                response(if from > 0 { 206 } else { 200 }, range, &self.bytes[start..start + count], true)
            }
            _ if start > 0 => {
                let range = format!("bytes {start}-{}/{total}", total - 1);
                response(206, Some(range), &self.bytes[start..], false)
            }
            _ => response(200, None, &self.bytes, false),
        }
    }
}

fn response(status: u16, range: Option<String>, body: &[u8], breaks: bool) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(status);
    if let Some(range) = range {
        let headers = Headers::new()?;
        headers.set("content-range", &range)?;
        init.set_headers(&headers);
    }
    Response::new_with_opt_readable_stream_and_init(Some(&stream(body, breaks)), &init)
}

/// A stream of uneven chunks, which may end in an error.
fn stream(body: &[u8], breaks: bool) -> ReadableStream {
    let mut chunks: Vec<Vec<u8>> = body.chunks(70_001).map(<[u8]>::to_vec).rev().collect();
    let call = |controller: &JsValue, name: &str, value: &JsValue| {
        let method: js_sys::Function = crate::js::get(controller, name).into();
        method.call1(controller, value).unwrap();
    };
    let pull = Closure::<dyn FnMut(JsValue)>::new(move |controller: JsValue| match chunks.pop() {
        Some(chunk) => call(&controller, "enqueue", &array(&chunk)),
        None if breaks => call(&controller, "error", &js_sys::TypeError::new("network error")),
        None => call(&controller, "close", &JsValue::UNDEFINED),
    });
    let source = js_sys::Object::new();
    js_sys::Reflect::set(&source, &"pull".into(), &pull.into_js_value()).unwrap();
    ReadableStream::new_with_underlying_source(&source).unwrap()
}

fn expected_file(name: &str, bytes: &[u8]) -> ExpectedFile {
    let mut digest = Digest::default();
    digest.update(bytes);
    ExpectedFile::new("models/m.gguf", name.to_owned(), bytes.len() as u64, digest.hex()).unwrap()
}

async fn obtain(expected: &ExpectedFile, server: &Server) -> Result<Obtained> {
    let signal = AbortController::new().unwrap().signal();
    Download { expected, fetch: server, signal: &signal, progress: &|_| () }.obtain().await
}

async fn check_bytes(obtained: Obtained, want: &[u8]) {
    use std::io::Read;
    let mut bytes = Vec::new();
    obtained.source.into_reader().unwrap().read_to_end(&mut bytes).unwrap();
    assert!(bytes == want, "{} bytes differ from the {} served", bytes.len(), want.len());
}

#[wasm_bindgen_test]
async fn a_second_visit_asks_for_nothing() {
    let bytes = pattern(300_000);
    let expected = expected_file("second.gguf", &bytes);
    let server = Server::new(&bytes, Manner::Full);
    let first = obtain(&expected, &server).await.unwrap();
    assert!(!first.from_storage);
    check_bytes(first, &bytes).await;
    assert_eq!(server.asked(), [0]);
    let second = obtain(&expected, &server).await.unwrap();
    assert!(second.from_storage);
    check_bytes(second, &bytes).await;
    assert_eq!(server.asked(), [0; 0]);
}

#[wasm_bindgen_test]
async fn a_broken_download_goes_on_where_it_broke() {
    let bytes = pattern(300_000);
    let expected = expected_file("broken.gguf", &bytes);
    let server = Server::new(&bytes, Manner::BreaksAfter(120_000));
    let error = obtain(&expected, &server).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { done: 120_000, total: 300_000, .. }), "{error}");
    server.manner.set(Manner::Full);
    check_bytes(obtain(&expected, &server).await.unwrap(), &bytes).await;
    assert_eq!(server.asked(), [0, 120_000]);
}

#[wasm_bindgen_test]
async fn a_server_without_ranges_sends_all_again() {
    let bytes = pattern(300_000);
    for manner in [Manner::NoRanges, Manner::Unsatisfiable] {
        let expected = expected_file("ranges.gguf", &bytes);
        keep(&expected.stored_name(), &bytes[..100_000]).await;
        let server = Server::new(&bytes, manner);
        check_bytes(obtain(&expected, &server).await.unwrap(), &bytes).await;
        assert_eq!(server.asked()[0], 100_000);
    }
}

#[wasm_bindgen_test]
async fn altered_bytes_are_refused_with_both_hashes_and_not_kept() {
    let bytes = pattern(300_000);
    let mut altered = bytes.clone();
    altered[150_000] ^= 1;
    let longer = pattern(300_001);
    for served in [altered.as_slice(), &bytes[..299_999], &longer] {
        let expected = expected_file("altered.gguf", &bytes);
        let error = obtain(&expected, &Server::new(served, Manner::Full)).await.unwrap_err();
        let mut digest = Digest::default();
        digest.update(served);
        let message = error.to_string();
        assert!(message.starts_with("altered.gguf: refused"), "{message}");
        assert!(message.contains(&expected.sha256) && message.contains(&digest.hex()), "{message}");
        assert_eq!(stored(&expected.stored_name()).await.len(), 0);
    }
}

#[wasm_bindgen_test]
async fn a_damaged_copy_is_fetched_anew() {
    let bytes = pattern(300_000);
    let mut damaged = bytes.clone();
    damaged[7] ^= 1;
    // Whole but wrong; a wrong beginning; more than there should be.
    let longer = [damaged.as_slice(), &[0; 9]].concat();
    for (held, asked) in
        [(damaged.as_slice(), vec![0]), (&damaged[..200_000], vec![200_000, 0]), (&longer, vec![0])]
    {
        let expected = expected_file("damaged.gguf", &bytes);
        let server = Server::new(&bytes, Manner::Full);
        keep(&expected.stored_name(), held).await;
        let obtained = obtain(&expected, &server).await.unwrap();
        assert!(!obtained.from_storage);
        check_bytes(obtained, &bytes).await;
        assert_eq!(server.asked(), asked);
    }
}

#[wasm_bindgen_test]
async fn a_new_version_replaces_the_old_one_and_nothing_else() {
    let old = pattern(300_000);
    let new = pattern(300_007);
    let stale = expected_file("renewed.gguf", &old);
    let name = stale.stored_name();
    for kept in [format!("other-{name}"), format!("{name}.x"), "renewed.gguf.notes".to_owned(), name.clone()]
    {
        keep(&kept, b"x").await;
    }
    store::forget_where(|name| stale.is_earlier(name)).await;
    assert_eq!(stored(&name).await, b"x", "the present version is not an earlier one");
    obtain(&expected_file("renewed.gguf", &new), &Server::new(&new, Manner::Full)).await.unwrap();
    assert_eq!(stored(&name).await.len(), 0, "the old version is gone, and opening it made an empty file");
    for kept in [format!("other-{name}"), format!("{name}.x"), "renewed.gguf.notes".to_owned()] {
        assert_eq!(stored(&kept).await, b"x", "{kept}");
    }
}

#[wasm_bindgen_test]
async fn a_missing_server_is_a_sentence() {
    let bytes = pattern(10);
    let expected = expected_file("missing.gguf", &bytes);
    let error = obtain(&expected, &Server::new(&bytes, Manner::Status(404))).await.unwrap_err();
    assert!(error.to_string().starts_with("missing.gguf: the server answered 404 for http"), "{error}");
    let error = obtain(&expected, &Server::new(&bytes, Manner::Down)).await.unwrap_err();
    assert!(error.to_string().contains("no route"), "{error}");
}

#[wasm_bindgen_test]
async fn a_stop_ends_the_download_and_keeps_what_came() {
    let bytes = pattern(300_000);
    let expected = expected_file("stopped.gguf", &bytes);
    let server = Server::new(&bytes, Manner::Full);
    let controller = AbortController::new().unwrap();
    let signal = controller.signal();
    let stop = |progress: LoadProgress| {
        assert!(progress.done <= progress.total);
        controller.abort();
    };
    let download = Download { expected: &expected, fetch: &server, signal: &signal, progress: &stop };
    assert!(matches!(download.obtain().await.unwrap_err(), Error::Aborted));
    let kept = stored(&expected.stored_name()).await;
    assert!(!kept.is_empty() && kept[..] == bytes[..kept.len()]);
}

#[wasm_bindgen_test]
async fn another_tab_shares_the_copy_but_not_a_half_one() {
    let bytes = pattern(300_000);
    let expected = expected_file("shared.gguf", &bytes);
    let server = Server::new(&bytes, Manner::Full);
    keep(&expected.stored_name(), &bytes).await;
    let lock = open(&expected.stored_name()).await;
    let whole = obtain(&expected, &server).await.unwrap();
    assert!(whole.from_storage);
    check_bytes(whole, &bytes).await;
    lock.truncate(1000).unwrap();
    lock.flush().unwrap();
    let beside = obtain(&expected, &server).await.unwrap();
    assert!(!beside.from_storage);
    check_bytes(beside, &bytes).await;
    assert_eq!(lock.size().unwrap(), 1000);
}

#[wasm_bindgen_test]
async fn forgetting_removes_every_file_and_says_how_much() {
    store::forget().await.unwrap();
    keep("one.gguf", &pattern(1000)).await;
    keep("two.gguf", &pattern(234)).await;
    assert_eq!(store::forget().await.unwrap(), 1234);
    assert_eq!(store::forget().await.unwrap(), 0);
    assert!(store::available().await);
}

#[wasm_bindgen_test]
fn only_sound_entries_of_this_origin_are_fetched() {
    let sha = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
    let check = |url: &str, file: &str, bytes: u64, sha: &str| {
        ExpectedFile::new(url, file.to_owned(), bytes, sha.to_owned()).map(|expected| expected.url)
    };
    assert!(check("models/m.gguf", "m.gguf", 1, sha).unwrap().ends_with("/models/m.gguf"));
    for url in ["https://example.com/m.gguf", "//example.com/m.gguf", "data:,x", "blob:x", "http://["] {
        let error = check(url, "m.gguf", 1, sha).unwrap_err().to_string();
        assert!(error.starts_with("m.gguf: cannot be fetched"), "{error}");
    }
    for file in ["", ".", "..", "a/b", "a\\b", "a\u{0}b", &"x".repeat(300)] {
        assert!(check("m", file, 1, sha).is_err(), "{file:?}");
    }
    assert!(check("m", "m.gguf", 0, sha).is_err() && check("m", "m.gguf", u64::MAX, sha).is_err());
    assert!(check("m", "m.gguf", 1, "abc").is_err());
    assert!(same_origin("m", "http://localhost:1/m").is_err());
}

#[wasm_bindgen_test]
fn ranges_are_read_as_written() {
    assert_eq!(content_range("bytes 10-99/100"), Some((10, 100)));
    for odd in ["", "bytes */100", "bytes 10-99/*", "10-99/100", "bytes -99/100", "bytes 1e3-2/3"] {
        assert_eq!(content_range(odd), None, "{odd:?}");
    }
}
