//! The scales of a tile, halves of eight rows: `w = d · (q + offset)`, or `w = d · q + m`.
//!
//! Scales stay halves, so that decoding reads little more than the file holds. A kernel takes them over
//! [`REBIAS`](super::REBIAS), which the activations' scales bring along: a half's bits only move into a float's places.
//!
//! Where the file has a scale of scales, a half, and small integers to multiply it by, their product is rounded to a
//! half: by at most 2^-11 of itself, also where it is subnormal, since it is a multiple of the smallest half then. One
//! beyond the largest half is refused, see [`Packed::push_group`](super::Packed::push_group).

use super::half::{f16_to_f32, f32_to_f16};
use super::quants::GROUP;

/// One number for each row of a tile, a half.
pub type Halves = [u16; GROUP];

/// Bits of the largest half, and of what would have been larger.
const LARGEST: u16 = 0x7bff;

/// The scales of a tile.
pub trait Scales: Clone {
    /// All scales zero.
    const ZERO: Self;

    /// Runs of columns that have a scale of their own.
    const PARTS: usize;

    /// What every quant lacks; 0 where minima are stored.
    const OFFSET: i32;

    /// The scales of a part.
    fn d(&self, part: usize) -> &Halves;

    /// The minima of a part, where they are stored.
    #[inline(always)]
    fn minima(&self, _part: usize) -> Option<&Halves> {
        None
    }

    /// Sets scale and minimum of row `lane`.
    fn set(&mut self, lane: usize, part: usize, d: f32, m: f32);

    /// Scale and minimum of row `lane`.
    fn get(&self, lane: usize, part: usize) -> (f32, f32) {
        let d = f16_to_f32(self.d(part)[lane]);
        (d, self.minima(part).map_or(d * Self::OFFSET as f32, |m| f16_to_f32(m[lane])))
    }

    /// Whether a scale or a minimum is beyond what a half holds.
    fn overflowed(&self) -> bool {
        let largest = |halves: &Halves| halves.iter().any(|half| half & 0x7fff == LARGEST);
        (0..Self::PARTS).any(|part| self.minima(part).is_some_and(largest) || largest(self.d(part)))
    }
}

/// A scale for 32 columns, whose quants are too large by `CENTRE`.
#[derive(Clone)]
#[repr(C, align(16))]
pub struct Scale<const CENTRE: u8>(Halves);

/// A scale and a minimum for 32 columns.
#[derive(Clone)]
#[repr(C, align(32))]
pub struct ScaleMin {
    d: Halves,
    m: Halves,
}

/// A scale for 16 columns, whose quants are too large by `CENTRE`.
#[derive(Clone)]
#[repr(C, align(32))]
pub struct Centred<const CENTRE: u8>([Halves; 2]);

/// A scale and a minimum for 16 columns.
#[derive(Clone)]
#[repr(C, align(32))]
pub struct ScaleMins {
    d: [Halves; 2],
    m: [Halves; 2],
}

impl<const CENTRE: u8> Scales for Scale<CENTRE> {
    const ZERO: Self = Self([0; GROUP]);
    const PARTS: usize = 1;
    const OFFSET: i32 = -(CENTRE as i32);

    #[inline(always)]
    fn d(&self, _: usize) -> &Halves {
        &self.0
    }

    fn set(&mut self, lane: usize, _: usize, d: f32, _: f32) {
        self.0[lane] = f32_to_f16(d);
    }
}

impl Scales for ScaleMin {
    const ZERO: Self = Self { d: [0; GROUP], m: [0; GROUP] };
    const PARTS: usize = 1;
    const OFFSET: i32 = 0;

    #[inline(always)]
    fn d(&self, _: usize) -> &Halves {
        &self.d
    }

    #[inline(always)]
    fn minima(&self, _: usize) -> Option<&Halves> {
        Some(&self.m)
    }

    fn set(&mut self, lane: usize, _: usize, d: f32, m: f32) {
        self.d[lane] = f32_to_f16(d);
        self.m[lane] = f32_to_f16(m);
    }
}

impl<const CENTRE: u8> Scales for Centred<CENTRE> {
    const ZERO: Self = Self([[0; GROUP]; 2]);
    const PARTS: usize = 2;
    const OFFSET: i32 = -(CENTRE as i32);

    #[inline(always)]
    fn d(&self, part: usize) -> &Halves {
        &self.0[part]
    }

    fn set(&mut self, lane: usize, part: usize, d: f32, _: f32) {
        self.0[part][lane] = f32_to_f16(d);
    }
}

impl Scales for ScaleMins {
    const ZERO: Self = Self { d: [[0; GROUP]; 2], m: [[0; GROUP]; 2] };
    const PARTS: usize = 2;
    const OFFSET: i32 = 0;

    #[inline(always)]
    fn d(&self, part: usize) -> &Halves {
        &self.d[part]
    }

    #[inline(always)]
    fn minima(&self, part: usize) -> Option<&Halves> {
        Some(&self.m[part])
    }

    fn set(&mut self, lane: usize, part: usize, d: f32, m: f32) {
        self.d[part][lane] = f32_to_f16(d);
        self.m[part][lane] = f32_to_f16(m);
    }
}
