//! The section's views.

mod bills;
mod charts;
mod form;
pub(crate) mod ledger;
mod memory;
mod options;
mod panels;
mod scenarios;
pub(crate) mod section;
mod uncertainty;
mod verdict;
