//! How long an answer takes: a simulated cloud on a virtual clock, and the arithmetic of measured samples.
//!
//! Pure: no clock, no input or output, no randomness but what a seed gives. Transcendental functions come
//! from `libm`, so that a seed gives the same bits natively and in WebAssembly.
//!
//! Rooms, each of which knows only those before it: `samples` recorders, percentiles and intervals, `objective`
//! limits and how often they are met, `cloud` the simulation, `export` files of samples, and `presets` dated
//! clouds and objectives.
//!
//! Measured and simulated samples are different types ([`stats::Series`]); nothing here turns one into the
//! other.

pub mod cloud;
pub mod export;
mod lognormal;
pub mod objective;
pub mod presets;
mod random;
mod samples;
mod units;

pub use figures::{Figure, Kind};
pub use lognormal::{FitError, Lognormal};
pub use samples::{corpus, fit, interval, pasted, soak, stats};
pub use units::Ms;
