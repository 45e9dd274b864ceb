//! The stages of a transformer, computed at once on this processor: one batch's way through the layers it is
//! handed. Whether those layers are held for good or stream by is the caller's business.

use std::ops::Range;

use super::attention::{Attention, Slots};
use super::cache::KvCache;
use super::products::{Input, Processor, Quantizing, multiply, multiply_whole, rows_of};
use super::quants::{Quants, quantize_row};
use super::threads::Parts;
use super::weights::Layer;
use super::{Activations, MAX_BATCH, portable};
use crate::model::{Config, rope_angles, rope_frequencies};
use crate::quant::Matrix;

/// Cache and buffers that no stage allocates, and the batch under way.
pub(super) struct Stages {
    processor: Processor,
    config: Config,
    cache: KvCache,
    /// See [`rope_frequencies`].
    frequencies: Vec<f64>,
    /// The batch's cosines and sines, (tokens, rope_dim / 2).
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
    /// The same, quantised, with a scale a head.
    query_quants: Vec<i16>,
    query_scales: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    attended: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    quantized: Activations,
    slots: Slots,
}

impl Buffers {
    fn new(config: &Config, tokens: usize, positions: usize) -> Self {
        let batch = |width: usize| vec![0.0; tokens * width];
        let widest = config.width.max(config.ffn).max(config.query_width());
        Self {
            residual: batch(config.width),
            normed: batch(config.width),
            query: batch(config.query_width()),
            query_quants: vec![0; tokens * config.query_width()],
            query_scales: batch(config.heads),
            key: batch(config.kv_width()),
            value: batch(config.kv_width()),
            attended: batch(config.query_width()),
            gate: batch(config.ffn),
            up: batch(config.ffn),
            quantized: Activations::with_capacity(tokens, widest),
            slots: Slots::new(config, tokens, positions),
        }
    }
}

impl Stages {
    /// For batches of up to `tokens`, and a cache of `positions` in `layers` layers. `factors` divide the
    /// rotation's frequencies, (rope_dim / 2,).
    pub(super) fn new(
        config: &Config,
        processor: &Processor,
        tokens: usize,
        (layers, positions): (usize, usize),
        factors: Option<&[f32]>,
    ) -> Self {
        Self {
            processor: processor.clone(),
            frequencies: rope_frequencies(config, factors),
            angles: Vec::with_capacity(tokens * (config.rope_dim / 2)),
            cache: KvCache::new(config, layers, positions),
            buffers: Buffers::new(config, tokens, positions),
            config: config.clone(),
            position: 0,
            tokens: 0,
        }
    }

    pub(super) fn processor(&self) -> &Processor {
        &self.processor
    }

    /// Bytes of keys and values that a token after `position` others reads.
    pub(super) fn cache_bytes(&self, position: usize) -> u64 {
        KvCache::bytes(&self.config, position + 1)
    }

    pub(super) fn positions(&self) -> usize {
        self.cache.positions()
    }

    /// Starts a batch of `tokens` at `position`; `embedding` writes the row of its i-th token, (width,).
    pub(super) fn embed(&mut self, position: usize, tokens: usize, embedding: impl Fn(usize, &mut [f32])) {
        assert!(tokens <= MAX_BATCH, "a batch has at most {MAX_BATCH} tokens");
        assert!(position + tokens <= self.positions(), "the batch fits the context");
        (self.position, self.tokens) = (position, tokens);
        self.angles.clear();
        self.angles.extend(rope_angles(&self.frequencies, position..position + tokens));
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
        self.norm(&layer.attention_norm, 0..self.tokens);
        self.qkv_products(layer);
    }

    /// Norm of some rows of the residual stream, quantised as well.
    pub(super) fn norm(&mut self, weight: &[f32], rows: Range<usize>) {
        let (b, width) = (&mut self.buffers, self.config.width);
        let quantizing = Quantizing::new(self.processor.kernels, &mut b.quantized, width);
        let normed = Parts::of(&mut b.normed);
        let residual = &b.residual[rows.start * width..];
        self.processor.pool.split(rows.len(), &|tokens| {
            for token in tokens {
                // SAFETY: a token is handed out once.
                unsafe {
                    let out = normed.part(token * width, width);
                    portable::rms_norm(
                        &residual[token * width..][..width],
                        weight,
                        self.config.norm_eps,
                        out,
                    );
                    quantizing.row(token, out);
                }
            }
        });
    }

    pub(super) fn qkv_products(&mut self, layer: &Layer) {
        let (b, tokens) = (&mut self.buffers, self.tokens);
        let x =
            Input { floats: &b.normed[..tokens * self.config.width], quantized: b.quantized.rows(), tokens };
        let (query, key, value) = (&mut b.query[..], &mut b.key[..], &mut b.value[..]);
        let products = [(&layer.query, query), (&layer.key, key), (&layer.value, value)];
        multiply_whole(&self.processor, products, &x);
    }

    pub(super) fn rope_append(&mut self, layer: usize) {
        let (config, b) = (&self.config, &mut self.buffers);
        let (queries, kv, half) = (config.query_width(), config.kv_width(), config.rope_dim / 2);
        // 1/√d goes into the queries: one multiplication each instead of one a score.
        let scale = 1.0 / (config.head_dim as f32).sqrt();
        let (query, key, cache) = (Parts::of(&mut b.query), Parts::of(&mut b.key), self.cache.storing());
        let (quants, scales) = (Parts::of(&mut b.query_quants), Parts::of(&mut b.query_scales));
        self.processor.pool.split(self.tokens, &|tokens| {
            for token in tokens {
                let position = self.position + token;
                let angles = &self.angles[token * half..][..half];
                // SAFETY: a token is handed out once.
                let (query, key) =
                    unsafe { (query.part(token * queries, queries), key.part(token * kv, kv)) };
                portable::rotate(query, config.head_dim, angles);
                query.iter_mut().for_each(|q| *q *= scale);
                portable::rotate(key, config.head_dim, angles);
                // SAFETY: as above.
                unsafe {
                    let (quants, scales) = (
                        quants.part(token * queries, queries),
                        scales.part(token * config.heads, config.heads),
                    );
                    quantize_heads(query, config.head_dim, quants, scales);
                    cache.store(layer, position, key, &b.value[token * kv..][..kv]);
                }
            }
        });
    }

    pub(super) fn attend(&mut self, layer: usize) {
        let (config, b) = (&self.config, &mut self.buffers);
        let cells = self.tokens * config.query_width();
        let query = Quants { quants: &b.query_quants[..cells], scales: &b.query_scales };
        let (kernels, cache, position) = (self.processor.kernels, &self.cache, self.position);
        let attention = Attention { kernels, config, cache, layer, position, query };
        attention.run(&self.processor.pool, &mut b.slots, &mut b.attended[..cells]);
    }

    pub(super) fn output_residual(&mut self, layer: &Layer) {
        let b = &mut self.buffers;
        let into = (&mut b.quantized, b.normed.as_mut_slice(), b.residual.as_mut_slice());
        add_product(&self.processor, &layer.output, &b.attended, self.tokens, into);
    }

    pub(super) fn norm_gate_up(&mut self, layer: &Layer) {
        self.norm(&layer.ffn_norm, 0..self.tokens);
        self.gate_up_products(layer);
    }

    pub(super) fn gate_up_products(&mut self, layer: &Layer) {
        let (b, tokens, all) = (&mut self.buffers, self.tokens, self.config.ffn);
        let x =
            Input { floats: &b.normed[..tokens * self.config.width], quantized: b.quantized.rows(), tokens };
        let (gate, up) = (Parts::of(&mut b.gate), Parts::of(&mut b.up));
        let kernels = self.processor.kernels;
        self.processor.pool.split(layer.gate.groups(), &|groups| {
            let rows = rows_of(groups.clone(), all);
            // SAFETY: a group is handed out once.
            unsafe {
                multiply(kernels, &layer.gate, &x, &gate, groups.clone());
                multiply(kernels, &layer.up, &x, &up, groups);
                for token in 0..tokens {
                    let (start, len) = (token * all + rows.start, rows.len());
                    portable::swiglu(gate.part(start, len), up.part(start, len));
                }
            }
        });
    }

    pub(super) fn down_residual(&mut self, layer: &Layer) {
        let b = &mut self.buffers;
        let into = (&mut b.quantized, b.normed.as_mut_slice(), b.residual.as_mut_slice());
        add_product(&self.processor, &layer.down, &b.gate, self.tokens, into);
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

    /// Logits of `n` rows after [`Self::norm`], for the vocabulary's rows in `head`: all, or a slice. `out` is
    /// (n, rows of `head`).
    pub(super) fn head(&mut self, head: &Matrix, n: usize, out: &mut [f32]) {
        let b = &self.buffers;
        let x =
            Input { floats: &b.normed[..n * self.config.width], quantized: b.quantized.rows(), tokens: n };
        multiply_whole(&self.processor, [(head, out)], &x);
    }
}

/// Every head of `query` by itself: (heads, dim), with a scale a head.
fn quantize_heads(query: &[f32], dim: usize, quants: &mut [i16], scales: &mut [f32]) {
    let heads = query.chunks_exact(dim).zip(quants.chunks_exact_mut(dim)).zip(scales);
    heads.for_each(|((head, quants), scale)| *scale = quantize_row(head, |d, q| quants[d] = q));
}

/// `residual += W·x`, with room for the quantised input and for the product. x: (tokens, cols).
fn add_product(
    processor: &Processor,
    w: &Matrix,
    x: &[f32],
    tokens: usize,
    (quantized, product, residual): (&mut Activations, &mut [f32], &mut [f32]),
) {
    let (cols, all) = (w.cols(), w.rows());
    let quantizing = Quantizing::new(processor.kernels, quantized, cols);
    processor.pool.split(tokens, &|tokens| {
        for token in tokens {
            // SAFETY: a token is handed out once.
            unsafe { quantizing.row(token, &x[token * cols..][..cols]) };
        }
    });
    let x = Input { floats: &x[..tokens * cols], quantized: quantized.rows(), tokens };
    let (product, residual) = (Parts::of(product), Parts::of(residual));
    processor.pool.split(w.groups(), &|groups| {
        let rows = rows_of(groups.clone(), all);
        // SAFETY: a group is handed out once.
        unsafe {
            multiply(processor.kernels, w, &x, &product, groups);
            for token in 0..tokens {
                let (start, len) = (token * all + rows.start, rows.len());
                portable::add(residual.part(start, len), product.part(start, len));
            }
        }
    });
}
