//! The few calls into the worker's global scope that everything else shares.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, DomException};

/// The scope this code runs in: always a dedicated worker's, which `worker.js` and the tests see to.
pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// A thrown value's own words, for the second half of a sentence.
pub(crate) fn describe(thrown: &JsValue) -> String {
    if let Some(error) = thrown.dyn_ref::<DomException>() {
        return format!("{} ({})", error.message(), error.name());
    }
    if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
        return format!("{} ({})", String::from(error.message()), String::from(error.name()));
    }
    thrown.as_string().unwrap_or_else(|| format!("{thrown:?}"))
}

/// The `name` of a thrown error, by which the browser tells its causes apart.
pub(crate) fn error_name(thrown: &JsValue) -> String {
    get(thrown, "name").as_string().unwrap_or_default()
}

/// A property of an object, or undefined.
pub(crate) fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

/// Size of this module's memory, bytes. It never shrinks, so this is also its peak.
pub(crate) fn memory_bytes() -> u64 {
    const PAGE: u64 = 65_536;
    core::arch::wasm32::memory_size::<0>() as u64 * PAGE
}
