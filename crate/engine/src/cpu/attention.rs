//! Attention of a batch: what may be computed side by side, and how it is put together.
//!
//! A head's positions are taken [`SPAN`] at a time and put together in order, whether one thread does it or several:
//! the number of threads never changes a result.

use std::ops::Range;

use super::kernels::dispatch::Kernels;
use super::kernels::layout::SPAN;
use super::kernels::quants::Quants;
use super::kernels::span::{self, Partial, Scratch};
use super::pool::{DisjointSlices, Pool};
use super::state::cache::KvCache;
use super::state::workspace::{SpanBuffer, SpanBuffers};
use crate::model::Spec;

/// One batch in one layer.
pub(super) struct BatchAttention<'a> {
    pub(super) kernels: &'static Kernels,
    pub(super) spec: &'a Spec,
    pub(super) cache: &'a KvCache,
    pub(super) layer: usize,
    /// Positions that a token looks at, its own among them.
    pub(super) window: Option<usize>,
    /// Where the batch starts.
    pub(super) position: usize,
    /// (tokens, heads, head_dim), rotated and scaled.
    pub(super) query: Quants<'a>,
}

impl BatchAttention<'_> {
    /// To `out`, (tokens, query width).
    pub(super) fn run(&self, pool: &Pool, buffers: &mut SpanBuffers, out: &mut [f32]) {
        let buffers = buffers.share();
        let out = DisjointSlices::of(out);
        let heads = self.spec.kv_heads;
        let width = self.sharing() * self.spec.head_dim;
        // SAFETY: an index is handed out once, and nobody looks at buffers before all are done.
        let buffer = |index: usize| unsafe { buffers.take(index) };
        if self.query.quants.len() == heads * width {
            // A single token: the positions are all that can be shared out.
            let spans = self.spans(0);
            let first = spans.start;
            let spans = spans.len();
            pool.split(heads * spans, &|items| {
                items.for_each(|item| self.one_span(item / spans, first + item % spans, buffer(item)));
            });
            for head in 0..heads {
                let mut total = buffer(head * spans).total;
                (1..spans).for_each(|span| total.merge(&buffer(head * spans + span).total));
                // SAFETY: nobody else is left.
                total.finish(unsafe { out.slice(head * width, width) });
            }
            return;
        }
        pool.split(self.query.quants.len() / width, &|items| {
            for item in items {
                // SAFETY: an item is handed out once.
                let out = unsafe { out.slice(item * width, width) };
                self.all_spans(item / heads, item % heads, buffer(item), out);
            }
        });
    }

    /// Query heads that share a key-value head.
    fn sharing(&self) -> usize {
        self.spec.heads / self.spec.kv_heads
    }

    /// The first position that a token of the batch looks at.
    fn start(&self, token: usize) -> usize {
        self.window.map_or(0, |window| (self.position + token + 1).saturating_sub(window))
    }

    /// The spans that a token of the batch looks at.
    fn spans(&self, token: usize) -> Range<usize> {
        self.start(token) / SPAN..(self.position + token + 1).div_ceil(SPAN)
    }

    /// One head of the first token over one span, left in the buffer.
    fn one_span(&self, head: usize, span: usize, mut buffer: SpanBuffer) {
        self.span(0, head, span, &mut buffer.scratch, &mut buffer.total);
    }

    /// One head of one token over all that lies before it.
    fn all_spans(&self, token: usize, head: usize, mut buffer: SpanBuffer, out: &mut [f32]) {
        let spans = self.spans(token);
        self.span(token, head, spans.start, &mut buffer.scratch, &mut buffer.total);
        for span in spans.skip(1) {
            self.span(token, head, span, &mut buffer.scratch, &mut buffer.next);
            buffer.total.merge(&buffer.next);
        }
        buffer.total.finish(out);
    }

    fn span(&self, token: usize, head: usize, span: usize, scratch: &mut Scratch, out: &mut Partial) {
        let heads = self.sharing();
        let dim = self.spec.head_dim;
        let positions = span * SPAN..((span + 1) * SPAN).min(self.position + token + 1);
        let first = (token * self.spec.kv_heads + head) * heads;
        let query = Quants {
            quants: &self.query.quants[first * dim..][..heads * dim],
            scales: &self.query.scales[first..][..heads],
        };
        let unseen = self.start(token).saturating_sub(positions.start);
        let cached = self.cache.head(self.layer, head, positions);
        span::attend(self.kernels, query, &cached, unseen, scratch, out);
    }
}
