//! Keys and values of every position read so far, in half precision.

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

    /// Stores one token's keys and values, each (kv_heads, head_dim).
    pub(super) fn store(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        for head in 0..self.kv_heads {
            let at = self.run(layer, head) + position * self.head_dim;
            let from = head * self.head_dim;
            let cells = self.keys[at..].iter_mut().zip(&mut self.values[at..]);
            let row = keys[from..][..self.head_dim].iter().zip(&values[from..][..self.head_dim]);
            for ((key, value), (k, v)) in cells.zip(row) {
                *key = f32_to_f16(*k);
                *value = f32_to_f16(*v);
            }
        }
    }

    /// Keys and values of one head's first `positions`, each (positions, head_dim).
    pub(super) fn head(&self, layer: usize, head: usize, positions: usize) -> (&[u16], &[u16]) {
        let run = self.run(layer, head)..;
        let len = positions * self.head_dim;
        (&self.keys[run.clone()][..len], &self.values[run][..len])
    }

    fn run(&self, layer: usize, head: usize) -> usize {
        (layer * self.kv_heads + head) * self.positions * self.head_dim
    }
}
