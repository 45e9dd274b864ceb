//! How long an answer takes: a simulated cloud on a virtual clock, and the arithmetic of measured samples.
//!
//! Pure: no clock, no input or output, no randomness but what a seed gives. Transcendental functions come
//! from `libm`, so that a seed gives the same bits natively and in WebAssembly.
//!
//! Measured and simulated samples are different types ([`stats::Series`]); nothing here turns one into the
//! other.

pub mod cloud;
pub mod fit;
mod gilbert;
mod normal;
mod preset;
pub mod presets;
mod random;
pub mod stats;
mod units;

pub use units::Ms;
