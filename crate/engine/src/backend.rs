//! How a model is loaded, which backend runs it, and how that was decided.

use std::sync::Arc;

use crate::cpu::Pool;

/// Which backend is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// The faster of those that pass the self-check.
    Automatic,
    /// The GPU if it passes the self-check, however slow.
    Gpu,
    /// The processor.
    Cpu,
}

/// How a model is loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Positions the KV cache is allocated for; cut to what the model was trained on.
    pub context: usize,
    /// Which backend is asked for.
    pub backend: Preference,
    /// The threads that the processor computes on.
    pub pool: Arc<Pool>,
    /// A monotonic clock, ms; the engine has none of its own in a browser.
    pub clock: fn() -> f64,
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

/// Which backend runs, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// `cpu-simd`; the GPU's interface, such as `webgpu` or `vulkan`, with `(software)` after it where the adapter
    /// is a program on the processor.
    pub name: String,
    /// Why this one, a sentence.
    pub reason: String,
    /// The adapter, where one was found.
    pub adapter: Option<String>,
    /// The GPU kernels' variant, where they run.
    pub variant: Option<String>,
    /// The self-check, where there was a GPU to check.
    pub check: Option<Check>,
}

/// GPU against processor on this device. No kernels and no tokens: the GPU was so much slower that it was timed only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Check {
    /// Kernels that were run on known numbers.
    pub kernels: usize,
    /// Kernels that gave wrong numbers and were replaced by their plain variant, by name.
    pub replaced: Vec<String>,
    /// Tokens of the forced decode.
    pub tokens: usize,
    /// Of those, how many have the same best next token on both.
    pub same: usize,
    /// Largest difference of a log-probability between the two, over all tokens and the whole vocabulary.
    pub largest_difference: f32,
    /// Decode speed of the GPU, tokens/s.
    pub gpu_tokens_per_s: Option<f64>,
    /// Decode speed of the processor, tokens/s, measured on part of the layers and scaled to all.
    pub cpu_tokens_per_s: Option<f64>,
    /// Whether this is an earlier result on the same adapter and build.
    pub remembered: bool,
    /// What the whole check took, ms.
    pub took_ms: f64,
}

impl Report {
    /// Of the CPU backend.
    pub fn cpu(reason: String) -> Self {
        Self { name: "cpu-simd".to_owned(), reason, adapter: None, variant: None, check: None }
    }
}
