//! How sure a result is: what each input may turn out to be, how often each deployment is then the cheapest, which
//! inputs matter, and at which value of each the answer changes.
//!
//! Seeded and pure: a seed gives the same bits natively and in WebAssembly, since the arithmetic beyond the four
//! operations and the root comes from `libm`, and random numbers from a generator and transforms that no other
//! release of a library changes.

mod bands;
mod distribution;
mod monte_carlo;
mod sampler;
mod switching;
mod tornado;
mod uncertain;

pub use bands::{BAND_TRIALS, Band, Bands, MOST_BAND_TRIALS};
pub use distribution::{Distribution, Shape, pert_parameters};
pub use monte_carlo::{MOST_TRIALS, MonteCarlo, Plan, Probabilities, Quantiles, Summary};
pub use switching::{InputSwitching, Switching, SwitchingValue, all_switching_values, switching_values};
pub use tornado::{Bar, tornado};
pub use uncertain::Uncertain;
