//! The stages of a transformer, computed at once on this processor: one batch's way through the layers it is
//! handed. Whether those layers are held for good or stream by is the caller's business.

use std::ops::Range;

use super::cache::KvCache;
use super::weights::Layer;
use super::{Activations, Kernels, MAX_BATCH, matmul, portable};
use crate::model::{Config, rope_angles};
use crate::quant::Matrix;

/// Cache and buffers that no stage allocates, and the batch under way.
pub(super) struct Stages {
    kernels: &'static Kernels,
    config: Config,
    cache: KvCache,
    /// (positions, rope_dim / 2) cosines and sines.
    angles: Vec<(f32, f32)>,
    buffers: Buffers,
    /// The batch under way: where it starts, how many tokens.
    position: usize,
    tokens: usize,
}

/// One batch's activations, each (tokens of the largest batch, its width).
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
    fn new(config: &Config, tokens: usize, positions: usize) -> Self {
        let batch = |width: usize| vec![0.0; tokens * width];
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
            quantized: Activations::with_capacity(tokens, widest),
            row: vec![0.0; config.head_dim],
            scores: vec![0.0; config.heads / config.kv_heads * positions],
        }
    }
}

impl Stages {
    /// For batches of up to `tokens`, and a cache of `positions` in `layers` layers. `factors` divide the
    /// rotation's frequencies, (rope_dim / 2,).
    pub(super) fn new(
        config: &Config,
        kernels: &'static Kernels,
        tokens: usize,
        (layers, positions): (usize, usize),
        factors: Option<&[f32]>,
    ) -> Self {
        Self {
            kernels,
            angles: rope_angles(config, factors, positions),
            cache: KvCache::new(config, layers, positions),
            buffers: Buffers::new(config, tokens, positions),
            config: config.clone(),
            position: 0,
            tokens: 0,
        }
    }

    pub(super) fn positions(&self) -> usize {
        self.cache.positions()
    }

    /// Starts a batch of `tokens` at `position`; `embedding` writes the row of its i-th token, (width,).
    pub(super) fn embed(&mut self, position: usize, tokens: usize, embedding: impl Fn(usize, &mut [f32])) {
        assert!(tokens <= MAX_BATCH, "a batch has at most {MAX_BATCH} tokens");
        assert!(position + tokens <= self.positions(), "the batch fits the context");
        (self.position, self.tokens) = (position, tokens);
        let rows = self.buffers.residual.chunks_exact_mut(self.config.width).take(tokens);
        rows.enumerate().for_each(|(index, row)| embedding(index, row));
    }

    /// All six stages of one layer; `index` is its place in the cache.
    pub(super) fn layer(&mut self, layer: &Layer, index: usize) {
        self.norm_qkv(layer);
        self.rope_append(index);
        self.attend(index);
        self.output_residual(layer);
        self.norm_gate_up(layer);
        self.down_residual(layer);
    }

    pub(super) fn norm_qkv(&mut self, layer: &Layer) {
        let (b, n) = (&mut self.buffers, self.tokens);
        norm_rows(&self.config, &b.residual, &layer.attention_norm, &mut b.normed, n);
        let x = &b.normed[..n * self.config.width];
        matmul(self.kernels, &layer.query, x, (&mut b.quantized, true), &mut b.query, n);
        matmul(self.kernels, &layer.key, x, (&mut b.quantized, false), &mut b.key, n);
        matmul(self.kernels, &layer.value, x, (&mut b.quantized, false), &mut b.value, n);
    }

    pub(super) fn rope_append(&mut self, layer: usize) {
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

    pub(super) fn attend(&mut self, layer: usize) {
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

    pub(super) fn output_residual(&mut self, layer: &Layer) {
        let (b, n) = (&mut self.buffers, self.tokens);
        let x = &b.attended[..n * self.config.query_width()];
        matmul(self.kernels, &layer.output, x, (&mut b.quantized, true), &mut b.normed, n);
        portable::add(&mut b.residual, &b.normed[..n * self.config.width]);
    }

    pub(super) fn norm_gate_up(&mut self, layer: &Layer) {
        let (b, n) = (&mut self.buffers, self.tokens);
        norm_rows(&self.config, &b.residual, &layer.ffn_norm, &mut b.normed, n);
        let x = &b.normed[..n * self.config.width];
        matmul(self.kernels, &layer.gate, x, (&mut b.quantized, true), &mut b.gate, n);
        matmul(self.kernels, &layer.up, x, (&mut b.quantized, false), &mut b.up, n);
        portable::swiglu(&mut b.gate[..n * self.config.ffn], &b.up);
    }

    pub(super) fn down_residual(&mut self, layer: &Layer) {
        let (b, n) = (&mut self.buffers, self.tokens);
        let x = &b.gate[..n * self.config.ffn];
        matmul(self.kernels, &layer.down, x, (&mut b.quantized, true), &mut b.normed, n);
        portable::add(&mut b.residual, &b.normed[..n * self.config.width]);
    }

    /// The residual stream of the batch, (tokens, width).
    pub(super) fn residual(&self) -> &[f32] {
        &self.buffers.residual[..self.tokens * self.config.width]
    }

    /// Queries, keys and values of the batch, each (tokens, its width).
    pub(super) fn qkv(&self) -> [&[f32]; 3] {
        let (b, queries, kv) = (&self.buffers, self.config.query_width(), self.config.kv_width());
        [&b.query[..self.tokens * queries], &b.key[..self.tokens * kv], &b.value[..self.tokens * kv]]
    }

    /// The batch's attention, (tokens, query width).
    pub(super) fn attended(&self) -> &[f32] {
        &self.buffers.attended[..self.tokens * self.config.query_width()]
    }

    /// The batch's activations between the feed-forward network's projections, (tokens, ffn).
    pub(super) fn gate(&self) -> &[f32] {
        &self.buffers.gate[..self.tokens * self.config.ffn]
    }

    /// The final norm of the batch's `rows`, which [`Self::head`] reads.
    pub(super) fn final_norm(&mut self, norm: &[f32], rows: Range<usize>) {
        let b = &mut self.buffers;
        norm_rows(
            &self.config,
            &b.residual[rows.start * self.config.width..],
            norm,
            &mut b.normed,
            rows.len(),
        );
    }

    /// Logits of `n` rows after [`Self::final_norm`], for the vocabulary's rows in `head`: all, or a slice.
    /// `out` is (n, rows of `head`); `fresh` on the first slice.
    pub(super) fn head(&mut self, head: &Matrix, fresh: bool, n: usize, out: &mut [f32]) {
        let b = &mut self.buffers;
        let x = &b.normed[..n * self.config.width];
        matmul(self.kernels, head, x, (&mut b.quantized, fresh), out, n);
    }
}

fn norm_rows(config: &Config, x: &[f32], weight: &[f32], out: &mut [f32], rows: usize) {
    let rows = x.chunks_exact(config.width).zip(out.chunks_exact_mut(config.width)).take(rows);
    for (x, out) in rows {
        portable::rms_norm(x, weight, config.norm_eps, out);
    }
}
