//! Model bytes: where they come from, and the proof that they are the catalogue's.

mod expected_file;
mod fetch;
mod keep;
mod obtain;
mod sink;
mod source;
mod watch;

pub(crate) use expected_file::ExpectedFile;
pub(crate) use fetch::Network;
#[cfg(test)]
pub(crate) use fetch::{Fetch, content_range, same_origin};
pub(crate) use keep::{files, keep, kept, named};
pub(crate) use obtain::{Download, Obtained};
pub(crate) use source::{ModelReader, ModelSource};
pub(crate) use watch::Watch;
