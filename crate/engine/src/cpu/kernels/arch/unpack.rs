//! Quants of a tile as bytes of a vector, the same way on every instruction set. Eight columns at a time, a run: four
//! columns of each row side by side, then the next four.

use crate::format::{Bits, Bytes, CODEBOOK, Coded, Crumbs, Joined, Nibbles, Quants};

/// A vector of bytes.
pub(crate) trait Vector: Copy {
    /// The bytes at `from`.
    ///
    /// # Safety
    /// They can be read.
    unsafe fn load(from: *const u8) -> Self;

    /// `byte` everywhere.
    fn splat(byte: u8) -> Self;

    /// Bits of both.
    fn and(self, other: Self) -> Self;

    /// Bits of either.
    fn or(self, other: Self) -> Self;

    /// 16-bit lanes shifted left: no instruction set shifts bytes.
    fn shl(self, bits: u32) -> Self;

    /// 16-bit lanes shifted right.
    fn shr(self, bits: u32) -> Self;

    /// The entries of `table` that the bytes, all below 16, name.
    fn look_up(self, table: &[i8; 16]) -> Self;
}

/// Quants that kernels read.
pub(crate) trait Unpack: Quants {
    /// Whether they are signed bytes; if not, they are below 64.
    const SIGNED: bool;

    /// Columns `8 · run..` of the rows whose bytes begin `at` a run's byte 0 or 16.
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2];
}

/// Bytes of a run, in each plane.
const RUN: usize = 32;

/// A vector of `bytes` from `at` on.
#[inline(always)]
fn load<V: Vector, const N: usize>(bytes: &[u8; N], at: usize) -> V {
    debug_assert!(at + size_of::<V>() <= N);
    // SAFETY: `fours` gets runs 0..4, and where a vector of a run begins.
    unsafe { V::load(bytes.as_ptr().add(at)) }
}

impl Unpack for Nibbles {
    const SIGNED: bool = false;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        let bytes: V = load(&self.0, run * RUN + at);
        let mask = V::splat(0x0f);
        [bytes.and(mask), bytes.shr(4).and(mask)]
    }
}

impl Unpack for Crumbs {
    const SIGNED: bool = false;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        let bytes = crumbs::<V>(self, run, at);
        let mask = V::splat(3);
        [bytes.and(mask), bytes.shr(2).and(mask)]
    }
}

impl Unpack for Joined<Crumbs, Bits> {
    const SIGNED: bool = false;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        let [low, high] = self.low.fours::<V>(run, at);
        let bits = bits::<V>(&self.high, run, at);
        let mask = V::splat(4);
        [low.or(bits.shl(2).and(mask)), high.or(bits.shl(1).and(mask))]
    }
}

impl Unpack for Joined<Nibbles, Bits> {
    const SIGNED: bool = false;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        let [low, high] = self.low.fours::<V>(run, at);
        let bits = bits::<V>(&self.high, run, at);
        let mask = V::splat(0x10);
        [low.or(bits.shl(4).and(mask)), high.or(bits.shl(3).and(mask))]
    }
}

impl Unpack for Joined<Nibbles, Crumbs> {
    const SIGNED: bool = false;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        let [low, high] = self.low.fours::<V>(run, at);
        let crumbs = crumbs::<V>(&self.high, run, at);
        let mask = V::splat(0x30);
        [low.or(crumbs.shl(4).and(mask)), high.or(crumbs.shl(2).and(mask))]
    }
}

impl Unpack for Bytes {
    const SIGNED: bool = true;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        [load(&self.0, 2 * run * RUN + at), load(&self.0, (2 * run + 1) * RUN + at)]
    }
}

impl Unpack for Coded {
    const SIGNED: bool = true;

    #[inline(always)]
    fn fours<V: Vector>(&self, run: usize, at: usize) -> [V; 2] {
        self.0.fours::<V>(run, at).map(|codes| codes.look_up(&CODEBOOK))
    }
}

/// The crumbs of a run: those of its columns in bits 0–1 and 2–3, and others above.
#[inline(always)]
fn crumbs<V: Vector>(crumbs: &Crumbs, run: usize, at: usize) -> V {
    load::<V, _>(&crumbs.0, run / 2 * RUN + at).shr(run as u32 % 2 * 4)
}

/// The bits of a run: those of its columns in bits 0 and 1, and others above.
#[inline(always)]
fn bits<V: Vector>(bits: &Bits, run: usize, at: usize) -> V {
    load::<V, _>(&bits.0, at).shr(run as u32 * 2)
}
