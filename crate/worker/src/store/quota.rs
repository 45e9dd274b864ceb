//! How much this origin may still store, and for how long.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::StorageEstimate;

use super::folder::manager;
use crate::js;

/// Bytes this origin uses and may use, where the browser tells.
pub(super) async fn used_of() -> Option<(u64, u64)> {
    let estimate: StorageEstimate = manager()?.estimate().ok()?.await.ok()?.unchecked_into();
    Some((estimate.get_usage()? as u64, estimate.get_quota()? as u64))
}

/// Bytes this origin may still store, where the browser tells.
pub(crate) async fn remaining() -> Option<u64> {
    used_of().await.map(|(used, quota)| quota.saturating_sub(used))
}

/// Whether the browser promised not to clear this origin's files by itself. Only a page can ask it to.
pub(super) async fn persisted() -> bool {
    let asked = async {
        let manager = manager().filter(|manager| js::get(manager, "persisted").is_function())?;
        let promise = manager.persisted().ok()?;
        Promise::<JsValue>::unchecked_from_js(promise.into()).await.ok()?.as_bool()
    };
    asked.await.unwrap_or(false)
}
