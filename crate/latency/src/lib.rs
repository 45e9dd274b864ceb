//! How long an answer takes: a simulated cloud on a virtual clock, and the arithmetic of measured samples.
//!
//! Pure: no clock, no input or output, no randomness but what a seed gives. Transcendental functions come
//! from `libm`, so that a seed gives the same bits natively and in WebAssembly.
//!
//! Measured and simulated samples are different types ([`stats::Series`]); nothing here turns one into the
//! other.

pub mod cloud;
pub mod corpus;
pub mod dated;
pub mod export;
pub mod fit;
mod gilbert;
pub mod interval;
mod normal;
mod preset;
pub mod presets;
pub mod published;
mod random;
pub mod sample_fit;
pub mod samples;
pub mod slo;
pub mod soak;
pub mod stats;
mod table;
mod units;

pub use units::Ms;
