//! Architectures: how a token's way through the layers is wired, over the stages of a [`Backend`].

mod config;
mod llama;
mod rope;

pub use config::Config;
pub use llama::{LayerNames, forward, layers};
pub(crate) use rope::rope_factors;
pub use rope::{rope_angles, rope_frequencies};

use std::ops::Range;

use crate::error::Result;

/// What computes the stages of a transformer, on its own activations and KV cache.
///
/// A batch goes through the stages in order: [`embed`](Backend::embed), the six of every layer, then
/// [`logits`](Backend::logits). Stages only enqueue work where the device is asynchronous; its errors, and
/// its results, come out of `logits`. The conversation itself is not in here: whoever holds the tokens can
/// refill any backend.
pub trait Backend {
    /// Name shown to people, e.g. `cpu-simd`.
    fn name(&self) -> String;
    /// Positions the KV cache holds.
    fn context(&self) -> usize;
    /// Most tokens in one batch.
    fn max_batch(&self) -> usize;
    /// Starts a batch: `tokens` at `position` and after. The cache keeps what lies before `position`.
    fn embed(&mut self, tokens: &[u32], position: usize);
    /// Norm, then queries, keys and values.
    fn norm_qkv(&mut self, layer: usize);
    /// Rotates queries and keys by position; keys and values join the cache.
    fn rope_append(&mut self, layer: usize);
    /// Queries against the cache, causal.
    fn attend(&mut self, layer: usize);
    /// Output projection, added to the residual stream.
    fn output_residual(&mut self, layer: usize);
    /// Norm, then gate and up projection, then gate activation times up.
    fn norm_gate_up(&mut self, layer: usize);
    /// Down projection, added to the residual stream.
    fn down_residual(&mut self, layer: usize);
    /// Final norm and head for these rows of the batch, to `out` (rows, vocabulary).
    fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> impl Future<Output = Result<()>>;
}
