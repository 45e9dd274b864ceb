//! The section's views.

mod clouds;
pub(crate) mod section;
mod sources;
mod stages;
mod streams;
mod yours;
