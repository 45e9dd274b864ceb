//! Service-level objectives, and how often answers meet them.

mod attainment;
mod slo;

pub use attainment::{Attainment, PerSecond};
pub use slo::Slo;
