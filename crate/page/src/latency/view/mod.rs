//! The section's views.

mod exports;
mod forward;
mod objectives;
mod runner;
pub(crate) mod section;
mod soak;
mod table;
mod views;
