//! From which volume a deployment is cheaper than the cloud (F5, C1 to C3).
//!
//! For a given number of servers the saving is a straight line over volume, so within one step of the fleet the
//! crossing is exact. Where servers are bought one by one the whole is a staircase that may cross several times:
//! each step is solved by itself, and the first and the last crossing are told.

use serde::Serialize;

use crate::bill::operator_total;
use crate::choice::FleetBasis;
use crate::deployment::Deployment;
use crate::fleet::{Fleet, exact_devices};
use crate::flow::{Factors, Total};
use crate::price::peak_growth;
use crate::scenario::{Edge, Scenario};
use crate::spares::expected_failures;
use crate::units::{Devices, RequestsPerMonth, Share, Usd, UsdPerRequest};

/// How money of different months is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// As it is.
    Undiscounted,
    /// At present value.
    Present,
}

impl Basis {
    /// The total on this basis.
    pub fn of(self, total: Total) -> Usd {
        match self {
            Self::Undiscounted => total.undiscounted,
            Self::Present => total.present,
        }
    }
}

/// Where a deployment and the cloud cost the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Crossings {
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
/// A volume so large that a slope taken over it is exact to the last digits.
const FAR: f64 = 1e9;

/// cloud − deployment over the horizon, as a function of volume and number of devices.
pub(crate) struct Saving<'a> {
    s: &'a Scenario,
    deployment: Deployment,
    basis: Basis,
    factors: Factors,
    /// Gained by each request of the first month.
    pub(crate) per_request: f64,
    /// Requests of the first month that one more device serves; `None` where the fleet does not follow the volume.
    pub(crate) per_device: Option<f64>,
}

impl<'a> Saving<'a> {
    pub(crate) fn new(s: &'a Scenario, deployment: Deployment, basis: Basis) -> Self {
        let factors = Factors::at(s, s.finance.horizon);
        let mut saving =
            Self { s, deployment, basis, factors, per_request: 0.0, per_device: step(s, deployment) };
        saving.per_request = (saving.at(FAR, 0.0) - saving.at(0.0, 0.0)) / FAR;
        saving
    }

    fn at(&self, volume: f64, devices: f64) -> f64 {
        let s = self.s.at_volume(RequestsPerMonth(volume));
        let fleet = Fleet::with(&s, Devices(devices));
        let none = Fleet::of(&s, Deployment::Cloud);
        let cloud = operator_total(&s, Deployment::Cloud, &none, &self.factors);
        let other = operator_total(&s, self.deployment, &fleet, &self.factors);
        self.basis.of(cloud).0 - self.basis.of(other).0
    }

    /// What a fleet loses before the first request.
    pub(crate) fn standing(&self, devices: f64) -> f64 {
        self.at(0.0, devices)
    }
}

/// Requests of the first month that one device serves.
fn step(s: &Scenario, deployment: Deployment) -> Option<f64> {
    let share = match deployment {
        Deployment::Edge => 1.0,
        Deployment::Hybrid => s.hybrid.share.0,
        Deployment::Cloud | Deployment::Endpoint | Deployment::Browser => return None,
    };
    let busiest = exact_devices(s, FAR * share * peak_growth(s)) / FAR;
    (s.edge.fleet == FleetBasis::Sized && busiest > 0.0).then(|| 1.0 / busiest)
}

/// Where a deployment and the cloud cost the same, over all volumes above 0.
pub fn crossings(s: &Scenario, deployment: Deployment, basis: Basis) -> Crossings {
    let saving = Saving::new(s, deployment, basis);
    match saving.per_device {
        Some(per_device) => on_stairs(&saving, per_device),
        None => on_line(saving.per_request, saving.standing(0.0)),
    }
}

fn on_line(slope: f64, standing: f64) -> Crossings {
    let root = Some(-standing / slope).filter(|v| v.is_finite() && *v >= 0.0 && slope != 0.0);
    let at = root.map(RequestsPerMonth);
    Crossings {
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
    let (fixed, gain) = (plain.standing(0.0), saving.per_request * per_device);
    let price = fixed - plain.standing(1.0);
    let failing = s.edge.device_price.0 * expected_failures(s, Devices(1.0));
    let (few, many) = (gain - price - failing, gain - price - 1.5 * failing);
    let best = -(fixed + s.edge.device_price.0) / few;
    let worst = (gain - fixed + SPARES_BEYOND * s.edge.device_price.0) / many;
    let (low, high) = match (few > 0.0, many > 0.0) {
        (true, true) => (best, worst),
        (true, false) => (best, f64::MAX),
        (false, _) => (worst, best),
    };
    (high >= 0.0 && low.is_finite()).then(|| ((low - 1.0).floor().max(1.0), high.max(1.0) + 1.0))
}

fn on_stairs(saving: &Saving<'_>, per_device: f64) -> Crossings {
    let rising = saving.per_request;
    let Some((low, high)) = window(saving, per_device) else {
        let cheaper = saving.standing(1.0) + rising * per_device > 0.0;
        return Crossings { first: None, last: None, count: 0, cheaper_above: cheaper, complete: true };
    };
    let mut found = Crossings { first: None, last: None, count: 0, cheaper_above: false, complete: true };
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
        let (left, right) = (standing + rising * (n - 1.0) * per_device, standing + rising * n * per_device);
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

/// C3: what devices bought one by one do to the price of a request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeviceCost {
    /// Price · service time · peak ÷ (cap · seconds a month · months): hardware in each request.
    pub per_request: UsdPerRequest,
    /// At this price of a device or above, no volume makes the edge cheaper.
    pub highest_price: Usd,
    /// Where the edge would be cheaper if devices could be bought in parts.
    pub smooth_tip: Option<RequestsPerMonth>,
}

/// What devices bought one by one do to the price of a request; `None` where the fleet is as entered.
pub fn device_cost(s: &Scenario, basis: Basis) -> Option<DeviceCost> {
    let priced = |price: f64| Scenario { edge: Edge { device_price: Usd(price), ..s.edge }, ..*s };
    let saving = Saving::new(s, Deployment::Edge, basis);
    let per_device = saving.per_device?;
    let loss = |price: f64| {
        let s = priced(price);
        let saving = Saving::new(&s, Deployment::Edge, basis);
        // Of a thousand, so that rounding up to whole spares does not count a thousandfold.
        (saving.standing(0.0) - saving.standing(1e3)) / 1e3
    };
    let (free, dollar) = (loss(0.0), loss(1.0));
    let gain = saving.per_request * per_device;
    let net = gain - loss(s.edge.device_price.0);
    let requests = per_device * f64::from(s.finance.horizon.0);
    Some(DeviceCost {
        per_request: UsdPerRequest(s.edge.device_price.0 / requests),
        highest_price: Usd(((gain - free) / (dollar - free)).max(0.0)),
        smooth_tip: (net > 0.0).then(|| RequestsPerMonth(-saving.standing(0.0) / net * per_device)),
    })
}

/// F6: below this volume the deployment never wins, however long the horizon, at the prices and volume of the first
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
