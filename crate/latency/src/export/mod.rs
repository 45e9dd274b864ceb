//! Raw samples that leave the machine and come back: JSON with a schema version, and CSV for spreadsheets.

mod csv;
mod error;
mod file;
mod json;
mod limits;
mod run;

pub use error::{ExportError, MOST_BYTES, Problem, SCHEMA};
pub use file::{Export, Imported};
pub use run::{Context, Run, Tag};
