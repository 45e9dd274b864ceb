//! The section without a browser: what is typed, read into a scenario, and what is drawn of a report.

pub mod drawings;
pub mod entries;
pub mod evidence;
pub mod presets;
