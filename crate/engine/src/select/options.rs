//! How a model is loaded, which backend runs it, and how that was decided.

use std::sync::Arc;

pub use protocol::{Check, Preference, Report};

use crate::cpu::Pool;
use crate::model::Precision;

/// How a model is loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Positions the KV cache is allocated for; cut to what the model was trained on.
    pub context: usize,
    /// Which backend is asked for.
    pub backend: Preference,
    /// How finely the processor quantises the activations of a prompt's tokens. Tokens that the model said itself have
    /// fourteen bits always.
    pub reading: Precision,
    /// The threads that the processor computes on.
    pub pool: Arc<Pool>,
    /// A monotonic clock, ms; the engine has none of its own in a browser.
    pub clock: fn() -> f64,
    /// How many of so many bytes can be had; asked before the processor's weights are read.
    pub room: fn(u64) -> u64,
    /// An earlier report for the same adapter, build and model, which makes the self-check short.
    pub remembered: Option<Report>,
}

/// Where a load stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Weights are packed for the processor, or sent to the GPU; bytes.
    Pack {
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The GPU is checked; steps.
    Check {
        /// Steps done.
        done: usize,
        /// Steps in all.
        total: usize,
    },
}
