//! A simulated cloud on a virtual clock: described by the stages of a request, or by times that somebody published.

mod loss;
mod preset;
mod published;
mod simulation;
mod tabulated;

pub use loss::Loss;
pub use preset::{Percentiles, Preset, PresetError, Rare};
pub use published::{Published, PublishedCloud};
pub use simulation::{Cloud, Connection, Request, Stage, Trace};
