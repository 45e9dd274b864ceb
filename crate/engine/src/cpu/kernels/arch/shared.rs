//! The part of every kernel around its innermost loops.

use crate::cpu::kernels::activations::QuantizedRows;
use crate::cpu::kernels::layout::{ACTIVATION_BLOCK, HEADS, SPAN};
use crate::cpu::pool::DisjointSlices;

/// Runs of eight columns in a tile.
pub(super) const RUNS: usize = 4;

/// Runs `$kernel::<_, _, T>` over every group and all tokens, `$most` at a time while there are so many: what sixteen
/// vector registers hold.
macro_rules! by_tokens {
    ($kernel:ident, $w:ident, $x:ident, $y:ident, $tokens:ident, $groups:ident, $most:literal) => {
        for group in $groups {
            let whole = $tokens / $most * $most;
            for token in (0..whole).step_by($most) {
                // SAFETY: the caller checked that groups and tokens lie in the buffers.
                unsafe { $kernel::<_, _, $most>($w, $x, $y, token, group) };
            }
            for token in whole..$tokens {
                // SAFETY: as above.
                unsafe { $kernel::<_, _, 1>($w, $x, $y, token, group) };
            }
        }
    };
}
pub(super) use by_tokens;

/// Calls `$kernel::<H>` for as many heads as there are: of a number that is known their sums stay in registers.
macro_rules! by_heads {
    ($kernel:ident, $heads:expr, $($argument:expr),+) => {
        match $heads {
            // SAFETY: the caller checked that the buffers hold as many heads.
            1 => unsafe { $kernel::<1>($($argument),+) },
            // SAFETY: as above.
            2 => unsafe { $kernel::<2>($($argument),+) },
            // SAFETY: as above.
            3 => unsafe { $kernel::<3>($($argument),+) },
            // SAFETY: as above.
            _ => unsafe { $kernel::<HEADS>($($argument),+) },
        }
    };
}
pub(super) use by_heads;

/// Heads whose scores are wanted.
pub(super) fn check_qk(q: &[i16], keys: &[i16], dim: usize, out: &[f32]) -> usize {
    let heads = q.len() / dim;
    assert!(dim.is_multiple_of(8) && (1..=HEADS).contains(&heads), "heads are taken a few at a time");
    assert!(keys.len() <= SPAN * dim && out.len() >= heads * SPAN, "scores fit the output");
    heads
}

/// Heads whose values are wanted.
pub(super) fn check_pv(weights: &[i16], values: &[i16], dim: usize, out: &[f32]) -> usize {
    let heads = out.len() / dim;
    assert!(dim.is_multiple_of(8) && (1..=HEADS).contains(&heads), "heads are taken a few at a time");
    assert!(values.len().is_multiple_of(2 * dim), "positions come in pairs");
    assert!(values.len() <= SPAN * dim && weights.len() >= heads * SPAN, "there is a weight for every value");
    heads
}

pub(super) fn check(x: QuantizedRows, y: &DisjointSlices<f32>, tokens: usize, rows: usize, blocks: usize) {
    assert!(x.blocks == blocks, "activations have the matrix's columns");
    assert!(x.quants.len() >= tokens * blocks * ACTIVATION_BLOCK, "tokens fit the buffers");
    assert!(x.factors.len() >= tokens * blocks && y.len() >= tokens * rows, "tokens fit the buffers");
}
