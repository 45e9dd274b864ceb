//! Messages in: `[json]`, or `[json, File]` for a file that the visitor picked.

use js_sys::{Array, JsString};
use protocol::ToWorker;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

use crate::errors::{Error, Result};

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
