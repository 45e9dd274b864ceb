//! Measuring how long answers take, many of them one after the other.

use serde::{Deserialize, Serialize};

/// Answers to measure: to the prompts in turn, each from an empty cache, greedily.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// At least one.
    pub prompts: Vec<Asked>,
    /// Answers before the first that counts.
    pub warm_up: u32,
    /// When it is enough.
    pub until: Until,
}

/// A prompt to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// As the visitor would type it.
    pub text: String,
    /// Most tokens of the answer, at least 1.
    pub max_tokens: u32,
}

/// When enough is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Until {
    /// After so many answers that count.
    Answers {
        /// At least 1.
        most: u32,
    },
    /// Once a percentile of the time to the first token is known well enough, or after `most` answers.
    Narrow {
        /// Which, above 0 and below 1.
        percentile: f64,
        /// Widest 95 % interval of it that is good enough, as a share of the percentile.
        width: f64,
        /// Fewest answers that count.
        fewest: u32,
        /// Most answers that count.
        most: u32,
        /// Seed of the bootstrap that makes the interval.
        seed: u64,
    },
    /// After so long, ms; the time of pauses is not part of it.
    Time {
        /// Above 0, at most an hour.
        ms: f64,
    },
}

/// One answer was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// Counts the answers of this measurement, warm-up included, from 0.
    pub number: u32,
    /// Position of the prompt among those asked for.
    pub prompt: u32,
    /// Whether it only warms up; it does not count.
    pub warm_up: bool,
    /// Whether the tab was in the background meanwhile, where browsers slow pages down; it does not count.
    pub hidden: bool,
    /// Tokens of the prompt, template included.
    pub prompt_tokens: u32,
    /// When it was asked, ms since the measurement began, pauses included.
    pub asked_ms: f64,
    /// When each token came, ms after the request; measured with the worker's monotonic clock.
    pub arrivals_ms: Vec<f64>,
    /// Size of the engine's wasm memory and GPU buffers after it, bytes.
    pub memory_bytes: u64,
}

/// Why a measurement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// The percentile is known well enough.
    Narrow,
    /// So many answers, or so long, as was asked.
    Spent,
    /// The visitor ended it; what came until then counts.
    Aborted,
}

/// A measurement ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Why.
    pub ended: Ended,
    /// Smallest step of the clock, ms, measured: no time is known better.
    pub tick_ms: f64,
}
