//! Which backend runs a model, and why.

mod active;
mod choose;
mod options;

pub(crate) use active::Active;
pub(crate) use choose::BackendSelection;
pub use options::{Check, LoadOptions, Preference, Progress, Report};
