//! Keys and values of every position read so far, in half precision.

use std::ops::Range;

use super::portable::KEYS;
use super::threads::Parts;
use crate::model::Config;
use crate::quant::f32_to_f16;

/// What one head attends over lies in one run. Keys: (layers, kv_heads, positions / 8, head_dim, 8) halves, as
/// [`super::portable::attend`] wants them; values: (layers, kv_heads, positions, head_dim).
pub(super) struct KvCache {
    keys: Vec<u16>,
    values: Vec<u16>,
    positions: usize,
    kv_heads: usize,
    head_dim: usize,
}

impl KvCache {
    /// Allocated once, for `positions` in `layers` layers.
    pub(super) fn new(config: &Config, layers: usize, positions: usize) -> Self {
        let len = |positions: usize| layers * config.kv_width() * positions;
        Self {
            keys: vec![0; len(positions.next_multiple_of(KEYS))],
            values: vec![0; len(positions)],
            positions,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
        }
    }

    pub(super) fn positions(&self) -> usize {
        self.positions
    }

    /// To be stored to by several threads.
    pub(super) fn storing(&mut self) -> Storing<'_> {
        let Self { keys, values, positions, kv_heads, head_dim } = self;
        let (keys, values) = (Parts::of(keys), Parts::of(values));
        Storing { keys, values, positions: *positions, kv_heads: *kv_heads, head_dim: *head_dim }
    }

    /// Keys and values of one head at `positions`, which start at a multiple of [`KEYS`].
    pub(super) fn head(&self, layer: usize, head: usize, positions: Range<usize>) -> (&[u16], &[u16]) {
        let Range { start, end } = positions;
        let cells = |all: usize, end: usize| {
            let run = (layer * self.kv_heads + head) * all;
            (run + start) * self.head_dim..(run + end) * self.head_dim
        };
        let keys = cells(self.positions.next_multiple_of(KEYS), end.next_multiple_of(KEYS));
        (&self.keys[keys], &self.values[cells(self.positions, end)])
    }
}

/// The cache while tokens are stored to it.
pub(super) struct Storing<'a> {
    keys: Parts<'a, u16>,
    values: Parts<'a, u16>,
    positions: usize,
    kv_heads: usize,
    head_dim: usize,
}

impl Storing<'_> {
    /// Stores one token's keys and values, each (kv_heads, head_dim).
    ///
    /// # Safety
    /// No other thread is at the same position.
    pub(super) unsafe fn store(&self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let dim = self.head_dim;
        for head in 0..self.kv_heads {
            let run = layer * self.kv_heads + head;
            let block = (run * self.positions.next_multiple_of(KEYS) + position / KEYS * KEYS) * dim;
            for (d, key) in keys[head * dim..][..dim].iter().enumerate() {
                // SAFETY: the caller's.
                unsafe { self.keys.set(block + d * KEYS + position % KEYS, f32_to_f16(*key)) };
            }
            // SAFETY: the caller's.
            let cells = unsafe { self.values.part((run * self.positions + position) * dim, dim) };
            let values = values[head * dim..][..dim].iter();
            cells.iter_mut().zip(values).for_each(|(cell, value)| *cell = f32_to_f16(*value));
        }
    }
}
