//! The stages of [`Backend`], computed at once on this processor.

use std::io::{Read, Seek};
use std::ops::Range;

use super::cache::KvCache;
use super::weights::Weights;
use super::{Activations, Kernels, matmul, portable};
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::{Backend, Config};

/// Most tokens in one batch: long enough that weights are read from cache for most of them, short enough
/// that an abort during a long prompt is answered soon.
pub const MAX_BATCH: usize = 32;

/// The CPU backend: weights, cache, and buffers that no later step allocates.
pub struct Cpu {
    kernels: &'static Kernels,
    config: Config,
    weights: Weights,
    cache: KvCache,
    /// (positions, rope_dim / 2) cosines and sines.
    angles: Vec<(f32, f32)>,
    buffers: Buffers,
    /// The batch under way: where it starts, how many tokens.
    position: usize,
    tokens: usize,
}

/// One batch's activations, each (MAX_BATCH, its width).
struct Buffers {
    residual: Vec<f32>,
    normed: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    attended: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    quantized: Activations,
    /// One head's row, widened.
    row: Vec<f32>,
    /// (heads of one group, positions).
    scores: Vec<f32>,
}

impl Buffers {
    fn new(config: &Config, positions: usize) -> Self {
        let batch = |width: usize| vec![0.0; MAX_BATCH * width];
        let widest = config.width.max(config.ffn).max(config.query_width());
        Self {
            residual: batch(config.width),
            normed: batch(config.width),
            query: batch(config.query_width()),
            key: batch(config.kv_width()),
            value: batch(config.kv_width()),
            attended: batch(config.query_width()),
            gate: batch(config.ffn),
            up: batch(config.ffn),
            quantized: Activations::with_capacity(MAX_BATCH, widest),
            row: vec![0.0; config.head_dim],
            scores: vec![0.0; config.heads / config.kv_heads * positions],
        }
    }
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
        kernels: &'static Kernels,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let weights = Weights::read(gguf, config, read_bytes)?;
        if kv_too_large(config, positions) {
            let cause = format!("a context of {positions} positions does not fit this machine's memory");
            return Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
        }
        Ok(Self {
            kernels,
            angles: angles(config, weights.rope_factors.as_deref(), positions),
            weights,
            cache: KvCache::new(config, positions),
            buffers: Buffers::new(config, positions),
            config: config.clone(),
            position: 0,
            tokens: 0,
        })
    }
}

/// Whether a cache of this size is beyond what an address can count (wasm addresses 4 GiB).
fn kv_too_large(config: &Config, positions: usize) -> bool {
    config.kv_bytes(positions) > (usize::MAX / 2) as u64
}

/// Rotation of every position: angle = position / (base^(2i / rope_dim) · factor).
fn angles(config: &Config, factors: Option<&[f32]>, positions: usize) -> Vec<(f32, f32)> {
    let frequencies: Vec<f64> = (0..config.rope_dim / 2)
        .map(|i| {
            let exponent = -2.0 * i as f64 / config.rope_dim as f64;
            f64::from(config.rope_base).powf(exponent) / factors.map_or(1.0, |f| f64::from(f[i]))
        })
        .collect();
    (0..positions)
        .flat_map(|position| frequencies.iter().map(move |f| position as f64 * f))
        .map(|angle| (angle.cos() as f32, angle.sin() as f32))
        .collect()
}

impl Backend for Cpu {
    fn name(&self) -> String {
        "cpu-simd".to_owned()
    }

    fn context(&self) -> usize {
        self.cache.positions()
    }

    fn max_batch(&self) -> usize {
        MAX_BATCH
    }

    fn embed(&mut self, tokens: &[u32], position: usize) {
        assert!(tokens.len() <= MAX_BATCH, "a batch has at most {MAX_BATCH} tokens");
        assert!(position + tokens.len() <= self.context(), "the batch fits the context");
        (self.position, self.tokens) = (position, tokens.len());
        for (token, row) in tokens.iter().zip(self.buffers.residual.chunks_exact_mut(self.config.width)) {
            self.weights.embedding.dequantize_row(*token as usize, row);
        }
    }

    fn norm_qkv(&mut self, layer: usize) {
        let (layer, b, n) = (&self.weights.layers[layer], &mut self.buffers, self.tokens);
        norm_rows(&self.config, &b.residual, &layer.attention_norm, &mut b.normed, n);
        let x = &b.normed[..n * self.config.width];
        matmul(self.kernels, &layer.query, x, (&mut b.quantized, true), &mut b.query, n);
        matmul(self.kernels, &layer.key, x, (&mut b.quantized, false), &mut b.key, n);
        matmul(self.kernels, &layer.value, x, (&mut b.quantized, false), &mut b.value, n);
    }

    fn rope_append(&mut self, layer: usize) {
        let (config, b) = (&self.config, &mut self.buffers);
        let (queries, kv) = (config.query_width(), config.kv_width());
        // 1/√d goes into the queries: one multiplication each instead of one a score.
        let scale = 1.0 / (config.head_dim as f32).sqrt();
        for token in 0..self.tokens {
            let position = self.position + token;
            let angles = &self.angles[position * (config.rope_dim / 2)..][..config.rope_dim / 2];
            let query = &mut b.query[token * queries..][..queries];
            portable::rotate(query, config.head_dim, angles);
            query.iter_mut().for_each(|q| *q *= scale);
            let key = &mut b.key[token * kv..][..kv];
            portable::rotate(key, config.head_dim, angles);
            self.cache.store(layer, position, key, &b.value[token * kv..][..kv]);
        }
    }

    fn attend(&mut self, layer: usize) {
        let (config, b) = (&self.config, &mut self.buffers);
        let group = config.query_width() / config.kv_heads;
        for token in 0..self.tokens {
            for head in 0..config.kv_heads {
                let cached = self.cache.head(layer, head, self.position + token + 1);
                let at = token * config.query_width() + head * group;
                let (query, out) = (&b.query[at..][..group], &mut b.attended[at..][..group]);
                portable::attend(query, cached, config.head_dim, (&mut b.row, &mut b.scores), out);
            }
        }
    }

    fn output_residual(&mut self, layer: usize) {
        let (layer, b, n) = (&self.weights.layers[layer], &mut self.buffers, self.tokens);
        let x = &b.attended[..n * self.config.query_width()];
        matmul(self.kernels, &layer.output, x, (&mut b.quantized, true), &mut b.normed, n);
        portable::add(&mut b.residual, &b.normed[..n * self.config.width]);
    }

    fn norm_gate_up(&mut self, layer: usize) {
        let (layer, b, n) = (&self.weights.layers[layer], &mut self.buffers, self.tokens);
        norm_rows(&self.config, &b.residual, &layer.ffn_norm, &mut b.normed, n);
        let x = &b.normed[..n * self.config.width];
        matmul(self.kernels, &layer.gate, x, (&mut b.quantized, true), &mut b.gate, n);
        matmul(self.kernels, &layer.up, x, (&mut b.quantized, false), &mut b.up, n);
        portable::swiglu(&mut b.gate[..n * self.config.ffn], &b.up);
    }

    fn down_residual(&mut self, layer: usize) {
        let (layer, b, n) = (&self.weights.layers[layer], &mut self.buffers, self.tokens);
        let x = &b.gate[..n * self.config.ffn];
        matmul(self.kernels, &layer.down, x, (&mut b.quantized, true), &mut b.normed, n);
        portable::add(&mut b.residual, &b.normed[..n * self.config.width]);
    }

    async fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        out.resize(rows.len() * self.config.vocabulary, 0.0);
        if rows.is_empty() {
            return Ok(());
        }
        let (b, n, width) = (&mut self.buffers, rows.len(), self.config.width);
        let last = &b.residual[rows.start * width..];
        norm_rows(&self.config, last, &self.weights.norm, &mut b.normed, n);
        let x = &b.normed[..n * width];
        matmul(self.kernels, self.weights.head(), x, (&mut b.quantized, true), out, n);
        Ok(())
    }
}

fn norm_rows(config: &Config, x: &[f32], weight: &[f32], out: &mut [f32], rows: usize) {
    let rows = x.chunks_exact(config.width).zip(out.chunks_exact_mut(config.width)).take(rows);
    for (x, out) in rows {
        portable::rms_norm(x, weight, config.norm_eps, out);
    }
}
