//! Messages in: `[json]`, or `[json, File, …]` for files that the visitor picked.

use js_sys::{Array, JsString};
use protocol::ToWorker;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

use crate::errors::{Error, Result};

/// Longest message taken, UTF-16 units. Far above any prompt a model can read, far below trouble.
const LONGEST: u32 = 64 << 20;

/// Most files of one message: models come in a few dozen at most.
const MOST_FILES: u32 = 256;

/// A message that was understood.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) message: ToWorker,
    /// Files that came with it, in order.
    pub(crate) files: Vec<File>,
}

/// Reads what the page posted. Anything may arrive here; nothing of it is believed unparsed.
pub(crate) fn parse(data: &JsValue) -> Result<Incoming> {
    let array = data.dyn_ref::<Array>().ok_or_else(|| misread("it is not an array"))?;
    if !(1..=1 + MOST_FILES).contains(&array.length()) {
        let cause = format!("it has {} elements, not 1 to {}", array.length(), 1 + MOST_FILES);
        return Err(misread(&cause));
    }
    let first = array.get(0);
    let text = first.dyn_ref::<JsString>().ok_or_else(|| misread("its first element is not a text"))?;
    if text.length() > LONGEST {
        return Err(misread(&format!("it is longer than {LONGEST} characters")));
    }
    let message = serde_json::from_str(&String::from(text))
        .map_err(|e| misread(&format!("it is not a request: {e}")))?;
    let file =
        |value: JsValue| value.dyn_into().map_err(|_| misread("an element after its first is not a file"));
    let files = array.iter().skip(1).map(file).collect::<Result<_>>()?;
    Ok(Incoming { message, files })
}

fn misread(cause: &str) -> Error {
    Error::Message { cause: cause.to_owned() }
}
