//! Messages in and out: `[json]`; `[json, File]` for a file that the visitor picked; `[json, Int32Array]` where the
//! worker hands out its bell.

use js_sys::{Array, JsString};
use protocol::{FromWorker, ToWorker};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{File, console};

use crate::bell;
use crate::errors::{Error, Result};
use crate::js;

/// Longest message taken, UTF-16 units. Far above any prompt a model can read, far below trouble.
const LONGEST: u32 = 64 << 20;

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

/// Posts a message to the page.
pub(crate) fn post(message: &FromWorker) {
    send(encode(message));
}

/// Posts the first message, with the bell to ring before each answer to it.
pub(crate) fn post_ready(message: &FromWorker) {
    send(encode(message).map(|data| match bell::bell() {
        Some(bell) => Array::of2(&data.get(0), &bell),
        None => data,
    }));
}

fn send(data: Result<Array, JsValue>) {
    if let Err(thrown) = data.and_then(|data| js::scope().post_message(&data)) {
        console::error_2(&"a message could not be posted".into(), &thrown);
    }
}

/// The array that carries a message.
pub(crate) fn encode(message: &FromWorker) -> Result<Array, JsValue> {
    let json = serde_json::to_string(message).map_err(|e| JsValue::from_str(&e.to_string()))?;
    Ok(Array::of1(&JsValue::from_str(&json)))
}
