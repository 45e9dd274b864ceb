//! What it costs to answer requests from a cloud API or on hardware of one's own, and from when the second
//! is cheaper. Pure: no clock, no input or output, no randomness.
//!
//! Conventions, printed beside every result: nominal US dollars, before tax, upfront costs at the start,
//! monthly costs at the end of each month, not discounted.
//!
//! F1 to F11 name the formulas of the source article ("the seed"), as the tests pin them.

mod footprint;
mod money;
mod presets;
mod scenario;
mod series;
mod tco;
mod units;

pub use footprint::{decode_ceiling, memory_needed, weight_bytes};
pub use money::{count, share, usd};
pub use presets::{Assumption, Discrepancy, Kind, seed_assumptions, seed_discrepancy};
pub use scenario::{FIELDS, Field, InputError, Scenario};
pub use series::{CumulativePoint, VolumePoint, by_volume, cumulative, log_volumes};
pub use tco::{BreakEven, Report, Verdict, evaluate};
pub use units::{
    Bytes, BytesPerSecond, Months, RequestsPerMonth, TokensPerSecond, Usd, UsdPerMonth, UsdPerRequest,
};

/// The convention every figure of this crate follows, for printing beside results.
pub const CONVENTION: &str = "nominal US dollars, before tax, upfront costs at the start, monthly costs at the end \
                              of each month, not discounted";
