//! Self-check reports of earlier visits, kept beside the models.

use engine::{Report, gpu};
use js_sys::Uint8Array;

use super::files::{Opened, open};
use crate::digest::Digest;
use crate::js;

/// Largest report that is believed, bytes.
const LARGEST: u64 = 1 << 16;

/// Hex digits of the key that a stored report's name carries.
const DIGITS: usize = 16;

/// Name in storage of the report on a model and an adapter: another adapter, browser, model or set of kernels has
/// another.
pub(crate) fn stored_name(adapter: &str, model: &str) -> String {
    let mut digest = Digest::default();
    let browser = js::scope().navigator().user_agent().unwrap_or_default();
    for part in [adapter, model, &gpu::build(), &browser] {
        digest.update(part.as_bytes());
        digest.update(&[0]);
    }
    format!("check.{}", &digest.hex()[..DIGITS])
}

/// The report of an earlier visit; `None` where there is none, or its bytes are no report.
pub(crate) async fn load(name: &str) -> Option<Report> {
    let Opened::Ours(handle) = open(name).await else { return None };
    let size = handle.size().ok().filter(|size| *size <= LARGEST)?;
    let mut bytes = vec![0; size as usize];
    let count = handle.read_at(0, &mut bytes).ok()?;
    serde_json::from_slice(&bytes[..count]).ok()
}

/// Keeps a report for the next visit, if storage lets it.
pub(crate) async fn save(name: &str, report: &Report) {
    let Opened::Ours(handle) = open(name).await else { return };
    let Ok(json) = serde_json::to_vec(report) else { return };
    let written = handle.truncate(0).and_then(|()| handle.write_all(0, &Uint8Array::from(json.as_slice())));
    written.and_then(|()| handle.flush()).ok();
}
