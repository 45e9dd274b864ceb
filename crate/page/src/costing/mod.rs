//! The cost section without a browser: what is typed, read into a scenario, and what is drawn of a report.

mod decision;
mod drawings;
mod entry;
mod known;

use std::sync::LazyLock;

use economics::Preset;

pub use decision::decision_paths;
pub use drawings::{
    Axes, months_chart, months_table, role, tornado_chart, volume_chart, volume_table, waterfall_chart,
};
pub use entry::{Entries, Problem, entry, unit};
pub use known::{Known, LEVELS, Times};

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(economics::presets);

/// Every case to start from, read once; the article's example first.
pub fn presets() -> &'static [Preset] {
    &PRESETS
}
