//! Numbers and places that kernels, their references and the cache share.

use std::ops::Range;

use crate::format::{GROUP, TILE_COLUMNS};

/// Activations that share a scale.
pub const ACTIVATION_BLOCK: usize = 32;

/// Largest magnitude of a quantised activation, key or value: fourteen bits. Sums of 32 products with eight-bit weights
/// stay below 2^26.
pub const LARGEST: f32 = 8191.0;

/// Largest magnitude of an activation of eight bits.
pub const LARGEST_BYTE: f32 = 127.0;

/// Products of two numbers of fourteen bits that are summed before a sum becomes a float: 32 · 8191² stays below 2^31.
pub const EXACT: usize = 32;

/// Positions that attention takes at a time. A fixed number, so that what several threads put together is what one
/// computes.
pub const SPAN: usize = 64;

/// Heads that attention takes at a time: what the vector registers hold.
pub const HEADS: usize = 4;

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

/// Where in a block the quant `index` in natural order stands as one of a pair: columns (0,2), (1,3), (4,6), (5,7) of
/// every eight, the order in which the nibbles of [`Tile4`](crate::format::Tile4) come apart.
#[inline]
pub fn pair_place(index: usize) -> usize {
    match index % 4 {
        1 => index + 1,
        2 => index - 1,
        _ => index,
    }
}

/// Rows of some groups of a matrix with `rows` rows.
pub(in crate::cpu) fn rows_of(groups: Range<usize>, rows: usize) -> Range<usize> {
    groups.start * GROUP..(groups.end * GROUP).min(rows)
}

// A tile's columns meet one block of activations: kernels scale a tile's sums once.
const _: () = assert!(TILE_COLUMNS == ACTIVATION_BLOCK);
