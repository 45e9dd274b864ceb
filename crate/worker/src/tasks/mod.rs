//! Requests that take a while, one file each.

mod bench;
mod generate;
mod inspect;
mod load;
mod measure;
mod probe;

pub(crate) use bench::bench;
pub(crate) use generate::generate;
pub(crate) use inspect::{inspect, stored_files};
#[cfg(test)]
pub(crate) use load::fitted;
pub(crate) use load::load;
pub(crate) use measure::{Visitor, measure};
pub(crate) use probe::probe;
