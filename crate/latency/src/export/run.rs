//! Contents of an export: requests, and where they were made.

use serde::{Deserialize, Serialize};

use crate::samples::corpus::Category;
use crate::samples::stats::{Measured, Metrics, Simulated};
use crate::units::Ms;

/// Where the samples were taken, as far as the caller knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Machine or its processor.
    pub device: String,
    /// Browser and its version; empty natively.
    pub browser: String,
    /// Backend.
    pub backend: String,
    /// Version and variant of the program.
    pub build: String,
    /// Model.
    pub model: String,
    /// When, ms since the Unix epoch.
    pub at_unix_ms: u64,
    /// Seed of whatever was random, if anything.
    pub seed: Option<u64>,
}

/// One request and when its tokens came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Prompt, by its short name.
    pub prompt: String,
    /// Category.
    pub category: Category,
    /// Number of the request, from 0.
    pub run: u32,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Whether the tab was hidden at any time; such runs are kept but left out of every figure.
    pub hidden: bool,
    /// Arrivals, ms after the request; none if it was not answered.
    pub arrivals_ms: Vec<Ms>,
}

impl Run {
    /// Arrivals are rounded to a microsecond, as histograms do and finer than browsers' clocks, so that what is read
    /// back is what was written, to the bit.
    pub fn new(prompt: &str, category: Category, run: u32, prompt_tokens: u32, arrivals: &[Ms]) -> Self {
        let arrivals_ms = arrivals.iter().map(|ms| Ms((ms.0 * 1e3).round() / 1e3)).collect();
        Self { prompt: prompt.to_owned(), category, run, prompt_tokens, hidden: false, arrivals_ms }
    }

    /// Its metrics; `None` if it was not answered.
    pub fn metrics(&self) -> Option<Metrics> {
        Metrics::new(&self.arrivals_ms)
    }
}

/// An origin in a file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tag {
    /// Measured on some device.
    Measured {},
    /// Simulated.
    Simulated {
        /// Preset.
        preset: String,
        /// Seed.
        seed: u64,
    },
}

impl From<&Measured> for Tag {
    fn from(_: &Measured) -> Self {
        Self::Measured {}
    }
}

impl From<&Simulated> for Tag {
    fn from(origin: &Simulated) -> Self {
        Self::Simulated { preset: origin.preset.clone(), seed: origin.seed }
    }
}
