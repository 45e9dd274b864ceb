//! Messages in: `[json]`, or `[json, File]` for a file that the visitor picked. Out: `[json, …]`, one or more messages in
//! order; `[json, Int32Array]` where the worker hands out its bell.

use std::cell::RefCell;

use js_sys::{Array, JsString};
use protocol::{FromWorker, ToWorker};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{File, console};

use crate::bell;
use crate::clock::now_ms;
use crate::errors::{Error, Result};
use crate::js;

/// Longest message taken, UTF-16 units. Far above any prompt a model can read, far below trouble.
const LONGEST: u32 = 64 << 20;

/// Between two frames of the page, ms: it shows nothing sooner.
const FRAME_MS: f64 = 16.0;

/// A message that was understood.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) message: ToWorker,
    pub(crate) file: Option<File>,
}

/// Reads what the page posted. Anything may arrive here; nothing of it is believed unparsed.
pub(crate) fn parse(data: &JsValue) -> Result<Incoming> {
    let array = data.dyn_ref::<Array>().ok_or_else(|| misread("it is not an array"))?;
    if !(1..=2).contains(&array.length()) {
        return Err(misread(&format!("it has {} elements instead of one or two", array.length())));
    }
    let first = array.get(0);
    let text = first.dyn_ref::<JsString>().ok_or_else(|| misread("its first element is not a text"))?;
    if text.length() > LONGEST {
        return Err(misread(&format!("it is longer than {LONGEST} characters")));
    }
    let message = serde_json::from_str(&String::from(text))
        .map_err(|e| misread(&format!("it is not a request: {e}")))?;
    let file = match array.length() {
        1 => None,
        _ => Some(array.get(1).dyn_into().map_err(|_| misread("its second element is not a file"))?),
    };
    Ok(Incoming { message, file })
}

fn misread(cause: &str) -> Error {
    Error::Message { cause: cause.to_owned() }
}

/// What waits to be posted.
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

/// Posts the first message, with the bell to ring before each answer to it.
pub(crate) fn post_ready(message: &FromWorker) {
    with(message, |out| {
        let data = out.take();
        if let Some(bell) = bell::bell() {
            data.push(&bell);
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
