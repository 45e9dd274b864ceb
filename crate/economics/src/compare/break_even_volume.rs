//! From which volume a deployment is cheaper than the cloud.
//!
//! For a given number of servers the saving is a straight line over volume, so within one step of the fleet the
//! crossing is exact. Where servers are bought one by one the whole is a staircase that may cross several times:
//! each step is solved by itself, and the first and the last crossing are told.

use serde::Serialize;

use super::saving::{FAR, Saving};
use crate::bill::{Basis, Factors, Fleet, expected_failures, operator_total};
use crate::deployment::Deployment;
use crate::input::{Edge, Scenario};
use crate::units::{Devices, RequestsPerMonth, Share};

/// Where a deployment and the cloud cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BreakEvenVolumes {
    /// The lowest such volume; `None` where one side is cheaper at every volume.
    pub first: Option<RequestsPerMonth>,
    /// The highest such volume; the same as `first` unless the fleet's steps cross again.
    pub last: Option<RequestsPerMonth>,
    /// How many there are.
    pub count: u32,
    /// Whether the deployment is the cheaper one above the last; without a crossing, at every volume.
    pub cheaper_above: bool,
    /// Whether all steps of the fleet were looked at; too many are not.
    pub complete: bool,
}

/// Steps of a fleet that are looked at: around a crossing there are rarely more than a dozen.
const MOST_STEPS: f64 = 20_000.0;
/// Where a deployment and the cloud cost the same, over all volumes above 0.
pub fn break_even_volumes(s: &Scenario, deployment: Deployment, basis: Basis) -> BreakEvenVolumes {
    let saving = Saving::new(s, deployment, basis);
    match saving.per_device {
        Some(per_device) => on_stairs(&saving, per_device),
        None => on_line(saving.per_request, saving.standing(0.0)),
    }
}

fn on_line(slope: f64, standing: f64) -> BreakEvenVolumes {
    let root = Some(-standing / slope).filter(|v| v.is_finite() && *v >= 0.0 && slope != 0.0);
    let at = root.map(RequestsPerMonth);
    BreakEvenVolumes {
        first: at,
        last: at,
        count: u32::from(at.is_some()),
        cheaper_above: slope > 0.0 || (slope == 0.0 && standing > 0.0),
        complete: true,
    }
}

/// Spares exceed the expected failures by no more than half of them and this many: z · √m ≤ m ÷ 2 + z² ÷ 2 with
/// the largest z allowed, 3.72, and the skewness of a Poisson variable.
const SPARES_BEYOND: f64 = 12.0;

/// First and last step in which a crossing can lie: the steps lie in a band between two straight lines, one with
/// the fewest spares the expected failures allow, one with the most.
fn window(saving: &Saving<'_>, per_device: f64) -> Option<(f64, f64)> {
    let s = saving.s;
    let lasting = Scenario { edge: Edge { failures_per_year: Share(0.0), ..s.edge }, ..*s };
    let plain = Saving::new(&lasting, saving.deployment, saving.basis);
    let fixed = plain.standing(0.0);
    let gain = saving.per_request * per_device;
    let price = fixed - plain.standing(1.0);
    let failing = s.edge.device_price.0 * expected_failures(s, Devices(1.0));
    let few = gain - price - failing;
    let many = gain - price - 1.5 * failing;
    let best = -(fixed + s.edge.device_price.0) / few;
    let worst = (gain - fixed + SPARES_BEYOND * s.edge.device_price.0) / many;
    let (low, high) = match (few > 0.0, many > 0.0) {
        (true, true) => (best, worst),
        (true, false) => (best, f64::MAX),
        (false, _) => (worst, best),
    };
    (high >= 0.0 && low.is_finite()).then(|| ((low - 1.0).floor().max(1.0), high.max(1.0) + 1.0))
}

fn on_stairs(saving: &Saving<'_>, per_device: f64) -> BreakEvenVolumes {
    let rising = saving.per_request;
    let Some((low, high)) = window(saving, per_device) else {
        let cheaper = saving.standing(1.0) + rising * per_device > 0.0;
        return BreakEvenVolumes {
            first: None,
            last: None,
            count: 0,
            cheaper_above: cheaper,
            complete: true,
        };
    };
    let mut found =
        BreakEvenVolumes { first: None, last: None, count: 0, cheaper_above: false, complete: true };
    let mut note = |volume: f64| {
        found.first = found.first.or(Some(RequestsPerMonth(volume)));
        found.last = Some(RequestsPerMonth(volume));
        found.count += 1;
    };
    let end = high.min(low + MOST_STEPS);
    let mut before = None;
    let mut n = low;
    while n <= end {
        let standing = saving.standing(n);
        let left = standing + rising * (n - 1.0) * per_device;
        let right = standing + rising * n * per_device;
        if before.is_some_and(|before: f64| (before > 0.0) != (left > 0.0)) {
            note((n - 1.0) * per_device);
        }
        if (left > 0.0) != (right > 0.0) {
            note(-standing / rising);
        }
        before = Some(right);
        n += 1.0;
    }
    found.cheaper_above = before.is_some_and(|saved| saved > 0.0);
    found.complete = end >= high;
    found
}

/// Below this volume the deployment never wins, however long the horizon, at the prices and volume of the first
/// month; `None` when no volume is enough.
pub fn floor_volume(s: &Scenario, deployment: Deployment) -> Option<RequestsPerMonth> {
    let fleet = Fleet::of(s, deployment);
    let net = |volume: f64| {
        let s = s.at_volume(RequestsPerMonth(volume));
        let month = |d: Deployment, month: f64| {
            let factors = Factors::at_rate(&s, month, 0.0).without_residual();
            operator_total(&s, d, &fleet, &factors).undiscounted.0
        };
        let first = |d: Deployment| month(d, 1.0) - month(d, 0.0);
        first(Deployment::Cloud) - first(deployment)
    };
    let standing = net(0.0);
    let slope = (net(FAR) - standing) / FAR;
    Some(-standing / slope).filter(|v| slope > 0.0 && v.is_finite() && *v >= 0.0).map(RequestsPerMonth)
}
