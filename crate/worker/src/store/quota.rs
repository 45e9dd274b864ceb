//! How much this origin may still store.

use wasm_bindgen::JsCast;
use web_sys::StorageEstimate;

use super::index::manager;

/// Bytes this origin may still store, where the browser tells.
pub(crate) async fn remaining() -> Option<u64> {
    let estimate: StorageEstimate = manager()?.estimate().ok()?.await.ok()?.unchecked_into();
    Some((estimate.get_quota()? - estimate.get_usage()?).max(0.0) as u64)
}
