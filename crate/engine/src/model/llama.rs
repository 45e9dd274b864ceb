//! The `llama` family: pre-norm, grouped-query attention with rotary positions, SwiGLU.

use super::{Backend, Config};
use crate::error::Result;

/// Reads `tokens` at `position` and after into the backend's cache, and writes the logits of the batch's
/// last `want` rows to `out` (want, vocabulary); none of the head is computed when `want` is 0.
///
/// # Errors
/// The backend's.
pub async fn forward<B: Backend>(
    backend: &mut B,
    config: &Config,
    tokens: &[u32],
    position: usize,
    want: usize,
    out: &mut Vec<f32>,
) -> Result<()> {
    backend.embed(tokens, position);
    layers(backend, config.layers);
    backend.logits(tokens.len() - want..tokens.len(), out).await
}

/// Takes a batch that was embedded through the first `count` layers.
pub fn layers<B: Backend>(backend: &mut B, count: usize) {
    for layer in 0..count {
        backend.norm_qkv(layer);
        backend.rope_append(layer);
        backend.attend(layer);
        backend.output_residual(layer);
        backend.norm_gate_up(layer);
        backend.down_residual(layer);
    }
}

/// Names of a layer's tensors in the file.
pub struct LayerNames {
    prefix: String,
}

impl LayerNames {
    /// Of layer `layer`.
    pub fn new(layer: usize) -> Self {
        Self { prefix: format!("blk.{layer}.") }
    }

    /// Full name of the layer's tensor `part`, e.g. `attn_q`.
    pub fn weight(&self, part: &str) -> String {
        format!("{}{part}.weight", self.prefix)
    }
}
