//! What the section shows.

mod bills;
mod charts;
mod form;
pub(crate) mod ledger;
mod memory;
mod odds;
mod options;
mod panels;
mod scenarios;
pub(crate) mod section;
mod verdict;
