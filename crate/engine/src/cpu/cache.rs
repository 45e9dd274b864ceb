//! Keys and values of every position read so far, in half precision.

use std::ops::Range;

use super::threads::Parts;
use crate::model::Config;
use crate::quant::f32_to_f16;

/// (layers, kv_heads, positions, head_dim) halves, for keys and for values: what one head attends over lies
/// in one run.
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
        let len = layers * config.kv_width() * positions;
        Self {
            keys: vec![0; len],
            values: vec![0; len],
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
        let run = self.positions * self.head_dim;
        let Self { keys, values, kv_heads, head_dim, .. } = self;
        let (keys, values) = (Parts::of(keys), Parts::of(values));
        Storing { keys, values, run, kv_heads: *kv_heads, head_dim: *head_dim }
    }

    /// Keys and values of one head at `positions`, each (positions, head_dim).
    pub(super) fn head(&self, layer: usize, head: usize, positions: Range<usize>) -> (&[u16], &[u16]) {
        let run = (layer * self.kv_heads + head) * self.positions;
        let cells = (run + positions.start) * self.head_dim..(run + positions.end) * self.head_dim;
        (&self.keys[cells.clone()], &self.values[cells])
    }
}

/// The cache while tokens are stored to it.
pub(super) struct Storing<'a> {
    keys: Parts<'a, u16>,
    values: Parts<'a, u16>,
    /// Cells of one head.
    run: usize,
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
            let at = (layer * self.kv_heads + head) * self.run + position * dim;
            // SAFETY: the caller's.
            let (k, v) = unsafe { (self.keys.part(at, dim), self.values.part(at, dim)) };
            narrow(&keys[head * dim..][..dim], k);
            narrow(&values[head * dim..][..dim], v);
        }
    }
}

fn narrow(floats: &[f32], out: &mut [u16]) {
    out.iter_mut().zip(floats).for_each(|(out, float)| *out = f32_to_f16(*float));
}
