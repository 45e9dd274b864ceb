//! What the charts draw.

use serde::Serialize;

use crate::scenario::Scenario;
use crate::tco;
use crate::units::{Months, RequestsPerMonth, Usd};

/// What both sides have cost by the end of a month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CumulativePoint {
    /// Month; 0 is the start.
    pub month: Months,
    /// F1 so far.
    pub cloud: Usd,
    /// F2 so far.
    pub edge: Usd,
}

/// What both sides cost over the horizon at one volume.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VolumePoint {
    /// Volume.
    pub volume: RequestsPerMonth,
    /// F1.
    pub cloud: Usd,
    /// F2.
    pub edge: Usd,
}

/// Both sides month by month, from the start to the horizon: horizon + 1 points.
pub fn cumulative(scenario: &Scenario) -> Vec<CumulativePoint> {
    (0..=scenario.horizon.0)
        .map(Months)
        .map(|month| CumulativePoint {
            month,
            cloud: tco::cloud(scenario, month),
            edge: tco::edge(scenario, month),
        })
        .collect()
}

/// Both sides over the horizon at each of `volumes`.
pub fn by_volume(scenario: &Scenario, volumes: &[RequestsPerMonth]) -> Vec<VolumePoint> {
    volumes
        .iter()
        .map(|volume| {
            let at = Scenario { requests_per_month: *volume, ..*scenario };
            VolumePoint {
                volume: *volume,
                cloud: tco::cloud(&at, at.horizon),
                edge: tco::edge(&at, at.horizon),
            }
        })
        .collect()
}

/// `points` volumes evenly spaced on a logarithmic axis from `from` to `to`, both included; `from` > 0 and
/// `points` ≥ 2.
pub fn log_volumes(from: RequestsPerMonth, to: RequestsPerMonth, points: usize) -> Vec<RequestsPerMonth> {
    let steps = points.saturating_sub(1).max(1) as f64;
    let ratio = (to.0 / from.0).ln();
    (0..points).map(|i| RequestsPerMonth(from.0 * (ratio * i as f64 / steps).exp())).collect()
}
