//! The parts of the race: the button, the streams, the choice of a cloud, and a visitor's own numbers.

mod clouds;
mod sources;
mod streams;
mod yours;

pub(super) use clouds::controls;
pub(super) use sources::sources;
pub(super) use streams::{button, cloud_side, here_side, outcome, size};
