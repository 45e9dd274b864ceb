//! Defaults as dated data: every figure that was not entered or measured has a source and a date. The files are in
//! `presets/` beside `src/`.

mod defects;
mod file;
mod ledger;
mod preset;

pub use defects::{ArticleDefect, Discrepancy, article_defects, seed_discrepancy};
pub use ledger::{ChoiceEntry, Entry, Ledger, SetBy};
pub use preset::{Assumption, Preset, Selection, defaults, presets};
