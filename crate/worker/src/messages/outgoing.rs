//! Messages out: `[json, …]`, one or more in order; `[json, Int32Array]` where the worker hands out its doorbell.

use std::cell::RefCell;

use js_sys::Array;
use protocol::FromWorker;
use wasm_bindgen::JsValue;
use web_sys::{File, console};

use super::doorbell;
use crate::clock::now_ms;
use crate::js;

/// Between two frames of the page, ms: it shows nothing sooner.
const FRAME_MS: f64 = 16.0;

/// Messages that wait to be posted.
struct Out {
    held: Array,
    /// When something was posted last, ms since the Unix epoch.
    posted_ms: f64,
}

thread_local! {
    static OUT: RefCell<Out> = RefCell::new(Out { held: Array::new(), posted_ms: 0.0 });
}

/// Posts a message to the page, after those that were held.
pub(crate) fn post(message: &FromWorker) {
    with(message, |out| send(out.take()));
}

/// Posts a message that may wait, with the next ones, until the page can show it: at most [`FRAME_MS`] and the time of a
/// token. Each post wakes the page's thread, which may share a core with one of the engine's.
pub(crate) fn hold(message: &FromWorker, now: f64) {
    with(message, |out| {
        if now - out.posted_ms >= FRAME_MS {
            send(out.take());
        }
    });
}

/// Posts a message with a file beside it.
pub(crate) fn post_file(message: &FromWorker, file: &File) {
    with(message, |out| {
        let data = out.take();
        data.push(file);
        send(data);
    });
}

/// Posts the first message, with the doorbell to ring before each answer to it.
pub(crate) fn post_ready(message: &FromWorker) {
    with(message, |out| {
        let data = out.take();
        if let Some(counter) = doorbell::counter() {
            data.push(&counter);
        }
        send(data);
    });
}

impl Out {
    fn take(&mut self) -> Array {
        self.posted_ms = now_ms();
        std::mem::replace(&mut self.held, Array::new())
    }
}

fn with(message: &FromWorker, then: impl FnOnce(&mut Out)) {
    match encode(message) {
        Ok(json) => OUT.with_borrow_mut(|out| {
            out.held.push(&json);
            then(out);
        }),
        Err(error) => failed(&error.to_string().into()),
    }
}

fn send(data: Array) {
    if let Err(thrown) = js::scope().post_message(&data) {
        failed(&thrown);
    }
}

fn failed(cause: &JsValue) {
    console::error_2(&"a message could not be posted".into(), cause);
}

/// The text that carries a message.
pub(crate) fn encode(message: &FromWorker) -> serde_json::Result<JsValue> {
    Ok(JsValue::from_str(&serde_json::to_string(message)?))
}
