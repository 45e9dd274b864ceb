//! How many servers the load needs.

use super::price::{HOURS_PER_MONTH, peak_requests};
use super::spares::spares;
use crate::deployment::Deployment;
use crate::input::{FleetBasis, Scenario};
use crate::units::{Devices, Seconds, Usd};

/// The servers of a deployment, and what they cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fleet {
    basis: FleetBasis,
    /// In use.
    pub(crate) devices: Devices,
    /// Their price.
    pub(crate) hardware: Usd,
    /// Price of the spares.
    pub(crate) spares_cost: Usd,
}

impl Fleet {
    /// The fleet that a deployment buys at the start, for its busiest month; none without servers.
    pub(crate) fn of(s: &Scenario, deployment: Deployment) -> Self {
        let share = match deployment {
            Deployment::Edge => 1.0,
            Deployment::Hybrid => s.hybrid.share.0,
            Deployment::Cloud | Deployment::OnDevice | Deployment::Browser => {
                return Self {
                    basis: s.edge.fleet,
                    devices: Devices(0.0),
                    hardware: Usd(0.0),
                    spares_cost: Usd(0.0),
                };
            }
        };
        Self::with(s, devices_needed(s, share * peak_requests(s).0))
    }

    /// The fleet with a given number of devices, where it is sized; as entered otherwise.
    pub(crate) fn with(s: &Scenario, sized: Devices) -> Self {
        let (devices, hardware, device) = match s.edge.fleet {
            FleetBasis::Fixed => {
                let device = if s.edge.devices.0 > 0.0 { s.edge.capex.0 / s.edge.devices.0 } else { 0.0 };
                (s.edge.devices, s.edge.capex.0, device)
            }
            FleetBasis::Sized => (sized, sized.0 * s.edge.device_price.0, s.edge.device_price.0),
        };
        let spares_cost = Usd(spares(s, devices).0 * device);
        Self { basis: s.edge.fleet, devices, hardware: Usd(hardware), spares_cost }
    }

    /// Keys of the inputs that the number of devices, and the price of one, come from.
    pub(crate) fn count_inputs(&self) -> &'static [&'static str] {
        match self.basis {
            FleetBasis::Fixed => &["edge.capex", "edge.devices"],
            FleetBasis::Sized => self.inputs(),
        }
    }

    /// Those of `own`, which say what share of requests the fleet sees, if its size depends on that.
    pub(crate) fn share_inputs(&self, own: &'static [&'static str]) -> &'static [&'static str] {
        match self.basis {
            FleetBasis::Fixed => &[],
            FleetBasis::Sized => own,
        }
    }

    /// Keys of the inputs that the hardware's price comes from.
    pub(crate) fn inputs(&self) -> &'static [&'static str] {
        match self.basis {
            FleetBasis::Fixed => &["edge.capex"],
            FleetBasis::Sized => &[
                "edge.device_price",
                "demand.requests_per_month",
                "demand.growth_per_month",
                "demand.output_tokens",
                "demand.peak_factor",
                "finance.horizon",
                "edge.tokens_per_second",
                "edge.ttft",
                "edge.utilisation_cap",
            ],
        }
    }
}

/// How long a device is busy with one request: time to first token + tokens ÷ speed.
pub fn service_time(s: &Scenario) -> Seconds {
    Seconds(s.edge.ttft.0 + s.demand.output_tokens.0 / s.edge.tokens_per_second.0)
}

/// Devices busy on average at this many requests a month: arrivals a second · service time, in erlang.
pub(crate) fn offered_load(s: &Scenario, requests_per_month: f64) -> f64 {
    requests_per_month / (HOURS_PER_MONTH * 3600.0) * service_time(s).0
}

/// Load · peak ÷ utilisation cap.
pub(crate) fn exact_devices(s: &Scenario, requests_per_month: f64) -> f64 {
    offered_load(s, requests_per_month) * s.demand.peak_factor.0 / s.edge.utilisation_cap.0
}

/// ⌈load · peak ÷ utilisation cap⌉. A device more for a rounding error would be a device too many.
pub(crate) fn devices_needed(s: &Scenario, requests_per_month: f64) -> Devices {
    Devices((exact_devices(s, requests_per_month) * (1.0 - 1e-12)).ceil())
}
