//! Self-check reports of earlier visits, apart from the models.

use engine::{Report, gpu};

use super::folder::Folder;
use super::records::{empty, load_json, save_json};
use crate::digest::Digest;
use crate::js;

const REPORTS: Folder = Folder("reports");

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
    load_json(REPORTS, name).await
}

/// Keeps a report for the next visit, if storage lets it.
pub(crate) async fn save(name: &str, report: &Report) {
    save_json(REPORTS, name, report).await;
}

pub(super) async fn forget_all() {
    empty(REPORTS).await;
}
