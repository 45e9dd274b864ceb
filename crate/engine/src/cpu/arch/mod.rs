//! One file per instruction set. Nothing here decides which of them runs: see `dispatch.rs`.

#[cfg(target_arch = "x86_64")]
pub(super) mod avx2;
#[cfg(target_arch = "wasm32")]
pub(super) mod simd128;

#[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
use shared::{check, tiles};

/// What every quantised product does around its tiles.
#[cfg(any(target_arch = "x86_64", target_arch = "wasm32"))]
mod shared {
    use crate::cpu::Parts;
    use crate::cpu::activations::Rows;

    /// Runs `$tile::<T>` over every group and all tokens, four at a time while there are four: more would spill
    /// the sixteen vector registers.
    macro_rules! tiles {
        ($tile:ident, $w:ident, $x:ident, $y:ident, $tokens:ident, $groups:ident) => {
            for group in $groups {
                let mut token = 0;
                while token < $tokens {
                    // SAFETY: the caller checked that groups and tokens lie in the buffers.
                    unsafe {
                        match $tokens - token {
                            1 => $tile::<1>($w, $x, $y, token, group),
                            2 => $tile::<2>($w, $x, $y, token, group),
                            3 => $tile::<3>($w, $x, $y, token, group),
                            _ => $tile::<4>($w, $x, $y, token, group),
                        }
                    }
                    token += 4.min($tokens - token);
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
