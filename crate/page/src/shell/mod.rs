//! The page around the features: header, summary, notes.

mod header;
mod notes;
pub(crate) mod page;
mod summary;
