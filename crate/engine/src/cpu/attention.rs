//! Attention of a batch: what may be computed side by side, and how it is put together.
//!
//! A head's positions are taken [`SPAN`] at a time and put together in order, whether one thread does it or several:
//! the number of threads never changes a result.

use super::cache::KvCache;
use super::portable::{self, Partial, SPAN};
use super::threads::{Parts, Pool};
use crate::model::Config;

/// Room for the pieces of work that run side by side.
pub(super) struct Slots {
    buffer: Vec<f32>,
    slot: usize,
}

/// One piece's room.
struct Slot<'a> {
    total: Partial<'a>,
    next: Partial<'a>,
    scores: &'a mut [f32],
}

impl Slots {
    /// For batches of up to `tokens` and caches of `positions`.
    pub(super) fn new(config: &Config, tokens: usize, positions: usize) -> Self {
        let (heads, dim) = (group(config), config.head_dim);
        let slot = 2 * Partial::len(heads, dim) + heads * SPAN;
        let count = config.kv_heads * tokens.max(positions.div_ceil(SPAN));
        Self { buffer: vec![0.0; slot * count], slot }
    }
}

/// Query heads that share a key-value head.
fn group(config: &Config) -> usize {
    config.heads / config.kv_heads
}

/// One batch in one layer.
pub(super) struct Attention<'a> {
    pub(super) config: &'a Config,
    pub(super) cache: &'a KvCache,
    pub(super) layer: usize,
    /// Where the batch starts.
    pub(super) position: usize,
    /// (tokens, query width), rotated and scaled.
    pub(super) query: &'a [f32],
}

impl Attention<'_> {
    /// To `out`, (tokens, query width).
    pub(super) fn run(&self, pool: &Pool, slots: &mut Slots, out: &mut [f32]) {
        let (size, slots, out) = (slots.slot, Parts::of(&mut slots.buffer), Parts::of(out));
        let heads = self.config.kv_heads;
        let width = group(self.config) * self.config.head_dim;
        // SAFETY: an index is handed out once, and nobody looks at slots before all are done.
        let slot = |index: usize| unsafe { self.slot(slots.part(index * size, size)) };
        if self.query.len() == heads * width {
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
        pool.split(self.query.len() / width, &|items| {
            for item in items {
                // SAFETY: an item is handed out once.
                self.whole(item / heads, item % heads, slot(item), unsafe { out.part(item * width, width) });
            }
        });
    }

    fn slot<'b>(&self, buffer: &'b mut [f32]) -> Slot<'b> {
        let (heads, dim) = (group(self.config), self.config.head_dim);
        let (total, rest) = buffer.split_at_mut(Partial::len(heads, dim));
        let (next, scores) = rest.split_at_mut(Partial::len(heads, dim));
        Slot { total: Partial::of(total, heads), next: Partial::of(next, heads), scores }
    }

    /// One head of the first token over one span, left in the slot.
    fn only(&self, head: usize, span: usize, mut slot: Slot) {
        self.span(0, head, span, slot.scores, &mut slot.total);
    }

    /// One head of one token over all that lies before it.
    fn whole(&self, token: usize, head: usize, mut slot: Slot, out: &mut [f32]) {
        self.span(token, head, 0, slot.scores, &mut slot.total);
        for span in 1..(self.position + token + 1).div_ceil(SPAN) {
            self.span(token, head, span, slot.scores, &mut slot.next);
            slot.total.merge(&slot.next);
        }
        slot.total.finish(out);
    }

    fn span(&self, token: usize, head: usize, span: usize, scores: &mut [f32], out: &mut Partial) {
        let dim = self.config.head_dim;
        let positions = span * SPAN..((span + 1) * SPAN).min(self.position + token + 1);
        let width = group(self.config) * dim;
        let query = &self.query[(token * self.config.kv_heads + head) * width..][..width];
        let cached = self.cache.head(self.layer, head, positions);
        portable::attend(query, cached, dim, scores, out);
    }
}
