//! A deployment beside the cloud: what it saves, from which volume, from which month, and at what return.

mod break_even_volume;
mod comparison;
mod convention;
mod device_cost;
mod payback;
mod saving;
mod series;

pub use break_even_volume::{BreakEvenVolumes, break_even_volumes, floor_volume};
pub use comparison::{Comparison, Verdict, compare};
pub use convention::{Conventions, convention, conventions};
pub use device_cost::{DeviceCost, device_cost};
pub use payback::{BreakEven, Irr, LONGEST_PAYBACK, break_even, irr};
pub use series::{
    CumulativePoint, VolumePoint, WaterfallStep, break_even_volume_by_horizon, by_volume, cumulative,
    log_volumes, waterfall,
};
