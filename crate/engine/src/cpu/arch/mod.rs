//! One file per instruction set. Nothing here decides which of them runs: see `dispatch.rs`.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
pub(super) mod relaxed;
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
pub(super) mod simd128;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
use shared::{check, tiles};

/// What every quantised product does around its tiles.
#[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
mod shared {
    use crate::cpu::Parts;
    use crate::cpu::activations::Rows;

    /// Runs `$tile::<T>` over every group and all tokens, `$most` at a time while there are so many: what sixteen
    /// vector registers hold.
    macro_rules! tiles {
        ($tile:ident, $w:ident, $x:ident, $y:ident, $tokens:ident, $groups:ident, $most:literal) => {
            for group in $groups {
                let whole = $tokens / $most * $most;
                for token in (0..whole).step_by($most) {
                    // SAFETY: the caller checked that groups and tokens lie in the buffers.
                    unsafe { $tile::<$most>($w, $x, $y, token, group) };
                }
                for token in whole..$tokens {
                    // SAFETY: as above.
                    unsafe { $tile::<1>($w, $x, $y, token, group) };
                }
            }
        };
    }
    pub(super) use tiles;

    pub(super) fn check(x: Rows, y: &Parts<f32>, tokens: usize, rows: usize, blocks: usize) {
        assert!(x.blocks == blocks, "activations have the matrix's columns");
        assert!(x.scales.len() >= tokens * blocks && y.len() >= tokens * rows, "tokens fit the buffers");
    }
}
