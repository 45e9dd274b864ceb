//! Requests that take a while, one file each.

mod bench;
mod generate;
mod inspect;
mod load;
mod measure;

pub(crate) use bench::bench;
pub(crate) use generate::generate;
pub(crate) use inspect::inspect;
#[cfg(test)]
pub(crate) use load::check_fits;
pub(crate) use load::load;
pub(crate) use measure::{Visitor, measure};
