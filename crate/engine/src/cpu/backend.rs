//! [`Backend`] on this processor: all weights held, packed, and the stages over them.

use std::io::{Read, Seek};
use std::ops::Range;

use super::products::Processor;
use super::stages::Stages;
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::{Backend, Config};

/// Most tokens in one batch: long enough that weights are read from cache for most of them, short enough
/// that an abort during a long prompt is answered soon.
pub const MAX_BATCH: usize = 32;

/// The CPU backend: weights, cache, and buffers that no later step allocates.
pub struct Cpu {
    pub(super) weights: Weights,
    pub(super) stages: Stages,
    pub(super) vocabulary: usize,
}

impl Cpu {
    /// Streams the weights in and allocates a cache of `positions`.
    ///
    /// # Errors
    /// A tensor is missing, of the wrong shape or type, or cannot be read.
    pub fn load<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        config: &Config,
        positions: usize,
        processor: &Processor,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let weights = Weights::read(gguf, config, read_bytes)?;
        if kv_too_large(config, positions) {
            let cause = format!("a context of {positions} positions does not fit this machine's memory");
            return Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
        }
        let size = (config.layers, positions);
        let stages = Stages::new(config, processor, MAX_BATCH, size, weights.rope_factors.as_deref());
        Ok(Self { weights, stages, vocabulary: config.vocabulary })
    }
}

/// Whether a cache of this size is beyond what an address can count (wasm addresses 4 GiB).
fn kv_too_large(config: &Config, positions: usize) -> bool {
    config.kv_bytes(positions) > (usize::MAX / 2) as u64
}

impl Backend for Cpu {
    fn name(&self) -> String {
        "cpu-simd".to_owned()
    }

    fn context(&self) -> usize {
        self.stages.positions()
    }

    fn max_batch(&self) -> usize {
        MAX_BATCH
    }

    fn embed(&mut self, tokens: &[u32], position: usize) {
        let table = &self.weights.embedding;
        let row = |index: usize, row: &mut [f32]| table.dequantize_row(tokens[index] as usize, row);
        self.stages.embed(position, tokens.len(), row);
    }

    fn norm_qkv(&mut self, layer: usize) {
        self.stages.norm_qkv(&self.weights.layers[layer]);
    }

    fn rope_append(&mut self, layer: usize) {
        self.stages.rope_append(layer);
    }

    fn attend(&mut self, layer: usize) {
        self.stages.attend(layer);
    }

    fn output_residual(&mut self, layer: usize) {
        self.stages.output_residual(&self.weights.layers[layer]);
    }

    fn norm_gate_up(&mut self, layer: usize) {
        self.stages.norm_gate_up(&self.weights.layers[layer]);
    }

    fn down_residual(&mut self, layer: usize) {
        self.stages.down_residual(&self.weights.layers[layer]);
    }

    async fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        out.resize(rows.len() * self.vocabulary, 0.0);
        if !rows.is_empty() {
            let n = rows.len();
            self.stages.norm(&self.weights.norm, rows);
            self.stages.head(self.weights.head(), n, out);
        }
        self.stages.processor().pool.check()
    }
}
