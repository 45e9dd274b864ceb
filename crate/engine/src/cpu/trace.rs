//! What every stage of the first layer leaves, on known tokens: what another backend's kernels are held against.

use std::io::{Read, Seek};

use super::products::Processor;
use super::stages::Stages;
use super::streamed::{lookup, read_head};
use super::weights::{Layer, NORM};
use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::{Config, rope_factors};
use crate::quant::read_vector;

/// A batch's activations after each stage of the first layer, (tokens, width of each).
pub(crate) struct Trace {
    pub(crate) embedding: Vec<f32>,
    /// Queries, keys and values of a token side by side, before rotation.
    pub(crate) qkv: Vec<f32>,
    /// Queries, rotated and scaled.
    pub(crate) query: Vec<f32>,
    pub(crate) attended: Vec<f32>,
    pub(crate) after_attention: Vec<f32>,
    pub(crate) gate: Vec<f32>,
    pub(crate) after_ffn: Vec<f32>,
    /// Logits of the last token for the vocabulary's first `head` rows, straight after the first layer.
    pub(crate) logits: Vec<f32>,
}

/// Traces `batches` one after the other from position 0 on; `head` is how many rows of the head are multiplied.
///
/// # Errors
/// A tensor is missing, of the wrong shape or type, or cannot be read.
pub(crate) fn trace<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    config: &Config,
    processor: &Processor,
    batches: &[&[u32]],
    head: usize,
) -> Result<Vec<Trace>> {
    let factors = rope_factors(gguf, config, &mut |_| {})?;
    let (most, all) = (batches.iter().map(|b| b.len()).max(), batches.iter().map(|b| b.len()).sum());
    let mut stages = Stages::new(config, processor, most.unwrap_or(0), (1, all), factors.as_deref());
    let layer = Layer::read(gguf, config, 0, &mut |_| {})?;
    let norm = read_vector(gguf, NORM, config.width, &mut |_| {})?;
    let head = read_head(gguf, config, 0..head)?;
    let (mut traces, mut position) = (Vec::new(), 0);
    for tokens in batches {
        let embedding = lookup(gguf, config, tokens)?;
        let width = config.width;
        stages.embed(position, tokens.len(), |i, row| row.copy_from_slice(&embedding[i * width..][..width]));
        stages.norm_qkv(&layer);
        let qkv = side_by_side(stages.qkv(), tokens.len());
        stages.rope_append(0);
        let query = stages.qkv()[0].to_vec();
        stages.attend(0);
        let attended = stages.attended().to_vec();
        stages.output_residual(&layer);
        let after_attention = stages.residual().to_vec();
        stages.norm_gate_up(&layer);
        let gate = stages.gate().to_vec();
        stages.down_residual(&layer);
        let after_ffn = stages.residual().to_vec();
        let mut logits = vec![0.0; head.rows()];
        stages.norm(&norm, tokens.len() - 1..tokens.len());
        stages.head(&head, 1, &mut logits);
        traces.push(Trace { embedding, qkv, query, attended, after_attention, gate, after_ffn, logits });
        position += tokens.len();
    }
    Ok(traces)
}

/// Rows of several matrices, joined row by row.
fn side_by_side(parts: [&[f32]; 3], rows: usize) -> Vec<f32> {
    let row = |i: usize| {
        parts.into_iter().flat_map(move |part| &part[i * part.len() / rows..][..part.len() / rows])
    };
    (0..rows).flat_map(row).copied().collect()
}
