//! Seeded random numbers: a documented generator, and inverse transforms of our own, so that a later release
//! of a distributions library cannot change what a seed means.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// One run's random numbers.
pub(crate) struct Random(Pcg64);

impl Random {
    /// Run `run` of seed `seed`: a stream of its own, whatever the other runs consume.
    pub(crate) fn new(seed: u64, run: u64) -> Self {
        Self(Pcg64::new(seed.into(), run.into()))
    }

    /// Uniform in the open interval (0, 1): 53 random bits, half a step away from either end.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) * (1.0 / (1u64 << 53) as f64)
    }
}
