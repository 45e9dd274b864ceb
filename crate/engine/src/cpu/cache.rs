//! Keys and values of every position read so far, quantised to fourteen bits with a scale a position and head.

use std::ops::Range;

use super::quants::{Quants, quantize_row};
use super::threads::Parts;
use crate::model::Config;

/// Positions whose keys lie side by side.
pub const KEYS: usize = 8;

/// Where a run of keys of `dim` holds column `d` of a position.
#[inline(always)]
pub fn key_place(dim: usize, position: usize, d: usize) -> usize {
    position / KEYS * KEYS * dim + d / 2 * 2 * KEYS + position % KEYS * 2 + d % 2
}

/// Where a run of values of `dim` holds column `d` of a position.
#[inline(always)]
pub fn value_place(dim: usize, position: usize, d: usize) -> usize {
    (position / 2 * dim + d) * 2 + position % 2
}

/// What one head attends over lies in one run. Keys: (layers, kv_heads, positions / 8, head_dim / 2, 8, 2) quants;
/// values: (layers, kv_heads, positions / 2, head_dim, 2): what is summed over stands in pairs.
pub(super) struct KvCache {
    keys: Side,
    values: Side,
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

/// One head's keys and values at up to [`super::portable::SPAN`] positions.
#[derive(Clone, Copy)]
pub struct Cached<'a> {
    /// Quants (positions / 8, dim / 2, 8, 2).
    pub keys: Quants<'a>,
    /// Quants (positions / 2, dim, 2).
    pub values: Quants<'a>,
}

impl KvCache {
    /// Allocated once, for `positions` in `layers` layers.
    pub(super) fn new(config: &Config, layers: usize, positions: usize) -> Self {
        let rows = layers * config.kv_heads * positions.next_multiple_of(KEYS);
        let side = || Side::new(rows, config.head_dim);
        let (kv_heads, head_dim) = (config.kv_heads, config.head_dim);
        Self { keys: side(), values: side(), positions, kv_heads, head_dim }
    }

    /// Bytes of `positions` in all layers.
    pub(super) fn bytes(config: &Config, positions: usize) -> u64 {
        let scales = 2 * size_of::<f32>() * config.layers * config.kv_heads;
        config.kv_bytes(positions).saturating_add((scales as u64).saturating_mul(positions as u64))
    }

    pub(super) fn positions(&self) -> usize {
        self.positions
    }

    /// To be stored to by several threads.
    pub(super) fn storing(&mut self) -> Storing<'_> {
        let Self { keys, values, positions, kv_heads, head_dim } = self;
        Storing {
            keys: Parts::of(&mut keys.quants),
            key_scales: Parts::of(&mut keys.scales),
            values: Parts::of(&mut values.quants),
            value_scales: Parts::of(&mut values.scales),
            room: positions.next_multiple_of(KEYS),
            kv_heads: *kv_heads,
            head_dim: *head_dim,
        }
    }

    /// Keys and values of one head at `positions`, which start at a multiple of [`KEYS`].
    pub(super) fn head(&self, layer: usize, head: usize, positions: Range<usize>) -> Cached<'_> {
        let run = (layer * self.kv_heads + head) * self.positions.next_multiple_of(KEYS);
        let rows = run + positions.start..run + positions.end;
        let (keys, values) = (&self.keys, &self.values);
        Cached {
            keys: keys.rows(rows.clone(), self.head_dim, KEYS),
            values: values.rows(rows, self.head_dim, 2),
        }
    }
}

/// The cache while tokens are stored to it.
pub(super) struct Storing<'a> {
    keys: Parts<'a, i16>,
    key_scales: Parts<'a, f32>,
    values: Parts<'a, i16>,
    value_scales: Parts<'a, f32>,
    /// Positions that there is room for.
    room: usize,
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
        for (head, (key, value)) in keys.chunks_exact(dim).zip(values.chunks_exact(dim)).enumerate() {
            let run = (layer * self.kv_heads + head) * self.room;
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
