//! Keys and values of every position read so far, quantised to fourteen bits with a scale a position and head.

use std::ops::Range;

use crate::cpu::kernels::layout::{KEYS, key_place, value_place};
use crate::cpu::kernels::quants::{Quants, quantize_row};
use crate::cpu::kernels::span::Cached;
use crate::cpu::pool::DisjointSlices;
use crate::model::Spec;

/// Keys, and values, of one head lie in one run. Keys: (layers, kv_heads, positions / 8, head_dim / 2, 8, 2) quants;
/// values: (layers, kv_heads, positions / 2, head_dim, 2). The dimension of a sum stands in pairs.
pub(in crate::cpu) struct KvCache {
    keys: Side,
    values: Side,
    layers: usize,
    positions: usize,
    kv_heads: usize,
    head_dim: usize,
}

/// All keys, or all values.
struct Side {
    quants: Vec<i16>,
    /// (layers, kv_heads, positions)
    scales: Vec<f32>,
}

impl Side {
    fn new(rows: usize, dim: usize) -> Self {
        Self { quants: vec![0; rows * dim], scales: vec![0.0; rows] }
    }

    /// These rows of `dim`, of which `together` share their place in the order.
    fn rows(&self, Range { start, end }: Range<usize>, dim: usize, together: usize) -> Quants<'_> {
        let quants = &self.quants[start * dim..end.next_multiple_of(together) * dim];
        Quants { quants, scales: &self.scales[start..end] }
    }
}

impl KvCache {
    /// Allocated once, for `positions` in `layers` layers. Layer `i` of the model has the place `i % layers`: where a
    /// batch goes through all layers by itself, one place serves them all.
    pub(in crate::cpu) fn new(spec: &Spec, layers: usize, positions: usize) -> Self {
        let rows = layers * spec.kv_heads * positions.next_multiple_of(KEYS);
        let side = || Side::new(rows, spec.head_dim);
        Self {
            keys: side(),
            values: side(),
            layers,
            positions,
            kv_heads: spec.kv_heads,
            head_dim: spec.head_dim,
        }
    }

    /// Bytes of `positions` in all layers.
    pub(in crate::cpu) fn bytes(spec: &Spec, positions: usize) -> u64 {
        let scales = 2 * size_of::<f32>() * spec.layers.len() * spec.kv_heads;
        spec.kv_bytes(positions).saturating_add((scales as u64).saturating_mul(positions as u64))
    }

    pub(in crate::cpu) fn positions(&self) -> usize {
        self.positions
    }

    /// To be stored to by several threads.
    pub(in crate::cpu) fn writer(&mut self) -> CacheWriter<'_> {
        let Self { keys, values, layers, positions, kv_heads, head_dim } = self;
        CacheWriter {
            keys: DisjointSlices::of(&mut keys.quants),
            key_scales: DisjointSlices::of(&mut keys.scales),
            values: DisjointSlices::of(&mut values.quants),
            value_scales: DisjointSlices::of(&mut values.scales),
            room: positions.next_multiple_of(KEYS),
            layers: *layers,
            kv_heads: *kv_heads,
            head_dim: *head_dim,
        }
    }

    /// Keys and values of one head at `positions`, which start at a multiple of [`KEYS`].
    pub(in crate::cpu) fn head(&self, layer: usize, head: usize, positions: Range<usize>) -> Cached<'_> {
        let run = (layer % self.layers * self.kv_heads + head) * self.positions.next_multiple_of(KEYS);
        let rows = run + positions.start..run + positions.end;
        Cached {
            keys: self.keys.rows(rows.clone(), self.head_dim, KEYS),
            values: self.values.rows(rows, self.head_dim, 2),
        }
    }
}

/// The cache while tokens are stored to it.
pub(in crate::cpu) struct CacheWriter<'a> {
    keys: DisjointSlices<'a, i16>,
    key_scales: DisjointSlices<'a, f32>,
    values: DisjointSlices<'a, i16>,
    value_scales: DisjointSlices<'a, f32>,
    /// Positions that there is room for.
    room: usize,
    layers: usize,
    kv_heads: usize,
    head_dim: usize,
}

impl CacheWriter<'_> {
    /// Stores one token's keys and values, each (kv_heads, head_dim).
    ///
    /// # Safety
    /// No other thread is at the same position.
    pub(in crate::cpu) unsafe fn store(&self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let dim = self.head_dim;
        for (head, (key, value)) in keys.chunks_exact(dim).zip(values.chunks_exact(dim)).enumerate() {
            let run = (layer % self.layers * self.kv_heads + head) * self.room;
            let first = run * dim;
            // SAFETY: the caller's: nobody else writes these cells.
            unsafe {
                let scale = quantize_row(key, |d, q| self.keys.set(first + key_place(dim, position, d), q));
                self.key_scales.set(run + position, scale);
                let scale =
                    quantize_row(value, |d, q| self.values.set(first + value_place(dim, position, d), q));
                self.value_scales.set(run + position, scale);
            }
        }
    }
}
