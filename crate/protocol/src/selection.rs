//! Which backend runs, and how that was decided: the engine decides and says so in these terms.

use serde::{Deserialize, Serialize};

/// Which backend is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Preference {
    /// The faster of those that pass the self-check.
    #[default]
    Automatic,
    /// The GPU if it passes the self-check, however slow.
    Gpu,
    /// The processor.
    Cpu,
}

/// How finely the processor quantises the activations of a token; a GPU does not quantise them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Precision {
    /// −127..=127: up to twice as fast where prompts are read.
    #[default]
    Eight,
    /// −8191..=8191.
    Fourteen,
}

/// Which backend runs, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

impl Report {
    /// Of the CPU backend.
    pub fn cpu(reason: String) -> Self {
        Self { name: "cpu-simd".to_owned(), reason, adapter: None, variant: None, check: None }
    }
}

/// GPU against processor on this device. No kernels and no tokens: the GPU was so much slower that it was timed only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Kernels that were run on known numbers.
    pub kernels: usize,
    /// Kernels that gave wrong numbers and were replaced by their plain variant, by name.
    pub replaced: Vec<String>,
    /// Tokens of the teacher-forced decode.
    pub tokens: usize,
    /// Of those, how many have the same best next token on both.
    pub same: usize,
    /// Largest difference of a log-probability between the two, over all tokens and the whole vocabulary.
    pub largest_difference: f32,
    /// Decode speed of the GPU, tokens/s, measured over about 200 ms.
    pub gpu_tokens_per_s: Option<f64>,
    /// Decode speed of the processor, tokens/s, measured on part of the layers and scaled to all.
    pub cpu_tokens_per_s: Option<f64>,
    /// Whether this is an earlier result on the same adapter and build.
    pub remembered: bool,
    /// Time of the whole check, ms.
    pub took_ms: f64,
}

/// Whether an adapter of this name is a program on the processor; such adapters do not always say so by their type.
pub fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["swiftshader", "llvmpipe", "softpipe", "basic render"].iter().any(|known| name.contains(known))
}
