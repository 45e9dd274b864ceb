//! What was found out about this device on an earlier visit, kept beside the models.

use engine::{Report, gpu};
use js_sys::Uint8Array;

use crate::digest::Digest;
use crate::js;
use crate::storage::{self, Opened};

/// Largest report that is believed, bytes.
const LARGEST: u64 = 1 << 16;

/// Hex digits of the key that a stored report's name carries.
const DIGITS: usize = 16;

/// Name in storage of what was found out about a model on an adapter: another adapter, browser, model or set of
/// kernels has another.
pub(crate) fn stored_name(adapter: &str, model: &str) -> String {
    let mut digest = Digest::default();
    let browser = js::scope().navigator().user_agent().unwrap_or_default();
    for part in [adapter, model, &gpu::build(), &browser] {
        digest.update(part.as_bytes());
        digest.update(&[0]);
    }
    format!("check.{}", &digest.hex()[..DIGITS])
}

/// What an earlier visit found out. Whatever is not a report is nothing.
pub(crate) async fn remembered(name: &str) -> Option<Report> {
    let Opened::Ours(handle) = storage::open(name).await else { return None };
    let size = handle.size().ok().filter(|size| *size <= LARGEST)?;
    let mut bytes = vec![0; size as usize];
    let count = handle.read_at(0, &mut bytes).ok()?;
    serde_json::from_slice(&bytes[..count]).ok()
}

/// Keeps a report for the next visit, if storage lets it.
pub(crate) async fn remember(name: &str, report: &Report) {
    let Opened::Ours(handle) = storage::open(name).await else { return };
    let Ok(json) = serde_json::to_vec(report) else { return };
    let written = handle.truncate(0).and_then(|()| handle.write_all(0, &Uint8Array::from(json.as_slice())));
    written.and_then(|()| handle.flush()).ok();
}
