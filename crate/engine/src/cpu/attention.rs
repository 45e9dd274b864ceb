//! Attention of a batch: what may be computed side by side, and how it is put together.
//!
//! A head's positions are taken [`SPAN`] at a time and put together in order, whether one thread does it or several:
//! the number of threads never changes a result.

use super::Kernels;
use super::cache::KvCache;
use super::portable::{self, Partial, SPAN, Scratch};
use super::quants::Quants;
use super::threads::{Parts, Pool};
use crate::model::Config;

/// Room for the pieces of work that run side by side.
pub(super) struct Slots {
    floats: Vec<f32>,
    weights: Vec<i16>,
    heads: usize,
    dim: usize,
}

/// One piece's room.
struct Slot<'a> {
    total: Partial<'a>,
    next: Partial<'a>,
    scratch: Scratch<'a>,
}

impl Slots {
    /// For batches of up to `tokens` and caches of `positions`.
    pub(super) fn new(config: &Config, tokens: usize, positions: usize) -> Self {
        let (heads, dim) = (group(config), config.head_dim);
        let count = config.kv_heads * tokens.max(positions.div_ceil(SPAN));
        let (floats, weights) = Self::sizes(heads, dim);
        Self { floats: vec![0.0; floats * count], weights: vec![0; weights * count], heads, dim }
    }

    /// Floats and weights of a slot.
    fn sizes(heads: usize, dim: usize) -> (usize, usize) {
        (2 * Partial::len(heads, dim) + heads * SPAN, heads * SPAN)
    }

    /// To be taken by several threads.
    fn taking(&mut self) -> Taking<'_> {
        let Self { floats, weights, heads, dim } = self;
        Taking { floats: Parts::of(floats), weights: Parts::of(weights), heads: *heads, dim: *dim }
    }
}

/// Slots while they are taken.
struct Taking<'a> {
    floats: Parts<'a, f32>,
    weights: Parts<'a, i16>,
    heads: usize,
    dim: usize,
}

impl Taking<'_> {
    /// # Safety
    /// Nobody else has this slot.
    unsafe fn slot(&self, index: usize) -> Slot<'_> {
        let (heads, dim) = (self.heads, self.dim);
        let (floats, weights) = Slots::sizes(heads, dim);
        // SAFETY: the caller's.
        let (floats, weights) = unsafe {
            (self.floats.part(index * floats, floats), self.weights.part(index * weights, weights))
        };
        let (total, rest) = floats.split_at_mut(Partial::len(heads, dim));
        let (next, scores) = rest.split_at_mut(Partial::len(heads, dim));
        let (total, next) = (Partial::of(total, heads), Partial::of(next, heads));
        Slot { total, next, scratch: Scratch { scores, weights } }
    }
}

/// Query heads that share a key-value head.
fn group(config: &Config) -> usize {
    config.heads / config.kv_heads
}

/// One batch in one layer.
pub(super) struct Attention<'a> {
    pub(super) kernels: &'static Kernels,
    pub(super) config: &'a Config,
    pub(super) cache: &'a KvCache,
    pub(super) layer: usize,
    /// Where the batch starts.
    pub(super) position: usize,
    /// (tokens, heads, head_dim), rotated and scaled.
    pub(super) query: Quants<'a>,
}

impl Attention<'_> {
    /// To `out`, (tokens, query width).
    pub(super) fn run(&self, pool: &Pool, slots: &mut Slots, out: &mut [f32]) {
        let (slots, out) = (slots.taking(), Parts::of(out));
        let heads = self.config.kv_heads;
        let width = group(self.config) * self.config.head_dim;
        // SAFETY: an index is handed out once, and nobody looks at slots before all are done.
        let slot = |index: usize| unsafe { slots.slot(index) };
        if self.query.quants.len() == heads * width {
            // A single token: the positions are all that can be shared out.
            let spans = (self.position + 1).div_ceil(SPAN);
            pool.split(heads * spans, &|items| items.for_each(|i| self.only(i / spans, i % spans, slot(i))));
            for head in 0..heads {
                let mut total = slot(head * spans).total;
                (1..spans).for_each(|span| total.merge(&slot(head * spans + span).total));
                // SAFETY: nobody else is left.
                total.finish(unsafe { out.part(head * width, width) });
            }
            return;
        }
        pool.split(self.query.quants.len() / width, &|items| {
            for item in items {
                // SAFETY: an item is handed out once.
                self.whole(item / heads, item % heads, slot(item), unsafe { out.part(item * width, width) });
            }
        });
    }

    /// One head of the first token over one span, left in the slot.
    fn only(&self, head: usize, span: usize, mut slot: Slot) {
        self.span(0, head, span, &mut slot.scratch, &mut slot.total);
    }

    /// One head of one token over all that lies before it.
    fn whole(&self, token: usize, head: usize, mut slot: Slot, out: &mut [f32]) {
        self.span(token, head, 0, &mut slot.scratch, &mut slot.total);
        for span in 1..(self.position + token + 1).div_ceil(SPAN) {
            self.span(token, head, span, &mut slot.scratch, &mut slot.next);
            slot.total.merge(&slot.next);
        }
        slot.total.finish(out);
    }

    fn span(&self, token: usize, head: usize, span: usize, scratch: &mut Scratch, out: &mut Partial) {
        let (heads, dim) = (group(self.config), self.config.head_dim);
        let positions = span * SPAN..((span + 1) * SPAN).min(self.position + token + 1);
        let first = (token * self.config.kv_heads + head) * heads;
        let query = Quants {
            quants: &self.query.quants[first * dim..][..heads * dim],
            scales: &self.query.scales[first..][..heads],
        };
        let cached = self.cache.head(self.layer, head, positions);
        portable::attend(self.kernels, query, &cached, dim, scratch, out);
    }
}
