//! The cost section without a browser: what is typed, read into a scenario, and what is drawn of a report.

use std::sync::LazyLock;

use economics::Preset;

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(economics::presets);

/// Every case to start from, read once; the article's example first.
pub fn presets() -> &'static [Preset] {
    &PRESETS
}
