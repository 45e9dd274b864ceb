//! Measuring how fast this device is, with the loaded model and without one.

use serde::{Deserialize, Serialize};

/// Pace of this device's processor, measured without a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// Weights, as packed, that products with one token read, bytes/s.
    pub bytes_per_s: f64,
    /// Products with weights in batches of tokens, per second.
    pub products_per_s: f64,
    /// Threads that computed.
    pub threads: u32,
}

/// A measurement of the loaded model, greedy, in runs after one warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bench {
    /// Prompt tokens, at least 1.
    pub prefill: u32,
    /// Tokens to decode after them, at least 2.
    pub decode: u32,
    /// Runs counted, at least 1.
    pub runs: u32,
}

/// A measurement: medians over the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benched {
    /// The measurement that was asked for.
    pub asked: Bench,
    /// Name of the backend.
    pub backend: String,
    /// Prompt tokens/s.
    pub prefill_tokens_per_s: f64,
    /// Decoded tokens/s.
    pub decode_tokens_per_s: f64,
    /// From the start to the first token, ms.
    pub ttft_ms: f64,
    /// Costs of a decoded token on the GPU; none on the processor.
    pub gpu: Option<GpuCosts>,
    /// Its costs on the processor; none on the GPU.
    pub cpu: Option<CpuCosts>,
}

/// Costs of a decoded token on the processor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CpuCosts {
    /// Each stage measured by itself, over all layers.
    pub stages: Vec<StageCosts>,
    /// Weights, as packed, and keys and values that a token reads, bytes.
    pub bytes_per_token: u64,
    /// Threads that compute.
    pub threads: u32,
}

/// A part of a token's time on the processor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageCosts {
    /// Its name for people.
    pub name: String,
    /// Time, ms.
    pub ms: f64,
    /// Whether it multiplies with weights.
    pub product: bool,
}

/// Costs of a decoded token on the GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuCosts {
    /// Kernels dispatched.
    pub dispatches_per_token: f64,
    /// Compute passes.
    pub passes_per_token: f64,
    /// Bytes read back.
    pub readback_bytes_per_token: f64,
    /// Weights and cache read per second at the measured decode speed, GB/s.
    pub gigabytes_per_s: f64,
    /// Copy bandwidth of the device, read and write counted, GB/s, measured.
    pub copy_gigabytes_per_s: f64,
    /// GPU time of a token by kernel, ms, from timestamps; empty where the adapter has none.
    pub kernels: Vec<(String, f64)>,
}
