//! The saving of a deployment beside the cloud, as a function of volume and fleet.

use crate::bill::{Basis, Factors, Fleet, exact_devices, operator_total, peak_growth};
use crate::deployment::Deployment;
use crate::input::{FleetBasis, Scenario};
use crate::units::{Devices, RequestsPerMonth};

/// A volume so large that a slope taken over it is exact to the last digits.
pub(super) const FAR: f64 = 1e9;

/// cloud − deployment over the horizon, as a function of volume and number of devices.
pub(super) struct Saving<'a> {
    pub(super) s: &'a Scenario,
    pub(super) deployment: Deployment,
    pub(super) basis: Basis,
    factors: Factors,
    /// Gained by each request of the first month.
    pub(super) per_request: f64,
    /// Requests of the first month that one more device serves; `None` where the fleet does not follow the volume.
    pub(super) per_device: Option<f64>,
}

impl<'a> Saving<'a> {
    pub(super) fn new(s: &'a Scenario, deployment: Deployment, basis: Basis) -> Self {
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

    /// The loss of a fleet before the first request.
    pub(super) fn standing(&self, devices: f64) -> f64 {
        self.at(0.0, devices)
    }
}

/// Requests of the first month that one device serves.
fn step(s: &Scenario, deployment: Deployment) -> Option<f64> {
    let share = match deployment {
        Deployment::Edge => 1.0,
        Deployment::Hybrid => s.hybrid.share.0,
        Deployment::Cloud | Deployment::OnDevice | Deployment::Browser => return None,
    };
    let busiest = exact_devices(s, FAR * share * peak_growth(s)) / FAR;
    (s.edge.fleet == FleetBasis::Sized && busiest > 0.0).then(|| 1.0 / busiest)
}
