//! One batch's activations, and the room that attention works in: allocated once.

use crate::cpu::kernels::activations::QuantizedActivations;
use crate::cpu::kernels::layout::SPAN;
use crate::cpu::kernels::span::{Partial, Scratch};
use crate::cpu::pool::DisjointSlices;
use crate::model::Spec;

/// Activations, each (tokens of the largest batch, its width).
pub(in crate::cpu) struct Workspace {
    pub(in crate::cpu) residual: Vec<f32>,
    pub(in crate::cpu) normed: Vec<f32>,
    /// A product before it is added to the residual stream, (tokens, width).
    pub(in crate::cpu) product: Vec<f32>,
    pub(in crate::cpu) query: Vec<f32>,
    /// The same, quantised, with a scale a head.
    pub(in crate::cpu) query_quants: Vec<i16>,
    pub(in crate::cpu) query_scales: Vec<f32>,
    pub(in crate::cpu) key: Vec<f32>,
    pub(in crate::cpu) value: Vec<f32>,
    pub(in crate::cpu) attended: Vec<f32>,
    pub(in crate::cpu) gate: Vec<f32>,
    pub(in crate::cpu) up: Vec<f32>,
    /// The input of the projection under way, quantised.
    pub(in crate::cpu) quantized: QuantizedActivations,
    pub(in crate::cpu) spans: SpanBuffers,
}

impl Workspace {
    pub(in crate::cpu) fn new(spec: &Spec, tokens: usize, positions: usize) -> Self {
        let batch = |width: usize| vec![0.0; tokens * width];
        let widest = spec.width.max(spec.ffn).max(spec.query_width());
        Self {
            residual: batch(spec.width),
            normed: batch(spec.width),
            product: batch(spec.width),
            query: batch(spec.query_width()),
            query_quants: vec![0; tokens * spec.query_width()],
            query_scales: batch(spec.heads),
            key: batch(spec.kv_width()),
            value: batch(spec.kv_width()),
            attended: batch(spec.query_width()),
            gate: batch(spec.ffn),
            up: batch(spec.ffn),
            quantized: QuantizedActivations::with_capacity(tokens, widest),
            spans: SpanBuffers::new(spec, tokens, positions),
        }
    }
}

/// Room for the spans of attention that are computed side by side.
pub(in crate::cpu) struct SpanBuffers {
    floats: Vec<f32>,
    weights: Vec<i16>,
    /// Query heads that share a key-value head.
    heads: usize,
    dim: usize,
}

/// One span's room.
pub(in crate::cpu) struct SpanBuffer<'a> {
    pub(in crate::cpu) total: Partial<'a>,
    pub(in crate::cpu) next: Partial<'a>,
    pub(in crate::cpu) scratch: Scratch<'a>,
}

impl SpanBuffers {
    /// For batches of up to `tokens` and caches of `positions`.
    fn new(spec: &Spec, tokens: usize, positions: usize) -> Self {
        let heads = spec.heads / spec.kv_heads;
        let dim = spec.head_dim;
        let count = spec.kv_heads * tokens.max(positions.div_ceil(SPAN));
        let floats = vec![0.0; floats_a_span(heads, dim) * count];
        Self { floats, weights: vec![0; heads * SPAN * count], heads, dim }
    }

    /// To be taken by several threads.
    pub(in crate::cpu) fn share(&mut self) -> SharedSpanBuffers<'_> {
        let Self { floats, weights, heads, dim } = self;
        SharedSpanBuffers {
            floats: DisjointSlices::of(floats),
            weights: DisjointSlices::of(weights),
            heads: *heads,
            dim: *dim,
        }
    }
}

fn floats_a_span(heads: usize, dim: usize) -> usize {
    2 * Partial::len(heads, dim) + heads * SPAN
}

/// [`SpanBuffers`] while threads take them.
pub(in crate::cpu) struct SharedSpanBuffers<'a> {
    floats: DisjointSlices<'a, f32>,
    weights: DisjointSlices<'a, i16>,
    heads: usize,
    dim: usize,
}

impl SharedSpanBuffers<'_> {
    /// # Safety
    /// Nobody else has this one.
    pub(in crate::cpu) unsafe fn take(&self, index: usize) -> SpanBuffer<'_> {
        let partial = Partial::len(self.heads, self.dim);
        let floats = floats_a_span(self.heads, self.dim);
        let weights = self.heads * SPAN;
        // SAFETY: the caller's.
        let floats = unsafe { self.floats.slice(index * floats, floats) };
        // SAFETY: as above.
        let weights = unsafe { self.weights.slice(index * weights, weights) };
        let (total, rest) = floats.split_at_mut(partial);
        let (next, scores) = rest.split_at_mut(partial);
        SpanBuffer {
            total: Partial::of(total, self.heads),
            next: Partial::of(next, self.heads),
            scratch: Scratch { scores, weights },
        }
    }
}
