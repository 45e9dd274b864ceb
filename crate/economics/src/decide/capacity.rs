//! Whether the servers keep up, and how long requests wait for one.

use serde::Serialize;

use crate::bill::{
    Basis, Fleet, devices_needed, expected_failures, offered_load, peak_requests, service_time,
    share_failing, spares,
};
use crate::compare::{DeviceCost, device_cost};
use crate::deployment::Deployment;
use crate::input::{FleetBasis, Scenario};
use crate::units::{Devices, Seconds, Share};

/// The servers of a deployment in its busiest month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Capacity {
    /// Whether the fleet was sized to the load, or entered and not verified.
    pub basis: FleetBasis,
    /// Devices paid for; as entered, they are only counted where spares or idle energy are.
    pub devices: Devices,
    /// ⌈load · peak ÷ utilisation cap⌉.
    pub devices_needed: Devices,
    /// How long a device is busy with one request.
    pub service: Seconds,
    /// Devices busy on average: arrivals a second · service time.
    pub average_load: f64,
    /// Devices busy at the peak.
    pub peak_load: f64,
    /// Share of requests at the peak that wait longer than the limit, with the devices needed.
    pub waiting: Share,
    /// Devices at which few enough of them do.
    pub devices_by_waiting: Devices,
    /// Failures expected over the horizon.
    pub expected_failures: f64,
    /// Spares bought at the start.
    pub spares: Devices,
    /// Share of devices that fail at least once.
    pub share_failing: Share,
    /// The effect of whole devices on the price of a request, at present value; only edge servers, sized.
    pub device_cost: Option<DeviceCost>,
}

/// The servers of a deployment; `None` for one without.
pub fn capacity(s: &Scenario, deployment: Deployment) -> Option<Capacity> {
    let share = match deployment {
        Deployment::Edge => 1.0,
        Deployment::Hybrid => s.hybrid.share.0,
        Deployment::Cloud | Deployment::OnDevice | Deployment::Browser => return None,
    };
    let requests = share * peak_requests(s).0;
    let fleet = Fleet::of(s, deployment);
    let needed = devices_needed(s, requests);
    let average_load = offered_load(s, requests);
    let peak_load = average_load * s.demand.peak_factor.0;
    let queue = Queue { load: peak_load, service: service_time(s) };
    let sized = s.edge.fleet == FleetBasis::Sized;
    Some(Capacity {
        basis: s.edge.fleet,
        devices: fleet.devices,
        devices_needed: needed,
        service: queue.service,
        average_load,
        peak_load,
        waiting: queue.waits_longer(needed, s.edge.wait_limit),
        devices_by_waiting: queue.devices_for(s.edge.wait_limit, s.edge.wait_share),
        expected_failures: expected_failures(s, fleet.devices),
        spares: spares(s, fleet.devices),
        share_failing: share_failing(s),
        device_cost: device_cost(s, Basis::Present).filter(|_| sized && deployment == Deployment::Edge),
    })
}

/// Erlang C, M/M/c. A check beside the utilisation cap, not a forecast: real service times are not exponential and
/// arrivals come in bursts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Queue {
    /// Offered load, erlang.
    pub load: f64,
    /// Mean service time.
    pub service: Seconds,
}

/// Beyond this many devices nothing is counted one by one.
const MOST_DEVICES: f64 = 1e6;

impl Queue {
    /// P(W > t) with c devices: C · e^(−(c − a) · t ÷ S), where C = B ÷ (1 − ρ(1 − B)) and
    /// B₀ = 1, B_k = aB ÷ (k + aB). With no more devices than load the queue grows without end: 1.
    pub fn waits_longer(&self, devices: Devices, limit: Seconds) -> Share {
        if self.load <= 0.0 {
            return Share(0.0);
        }
        if devices.0 <= self.load {
            return Share(1.0);
        }
        let mut k = 0.0;
        let mut blocked = 1.0;
        while k < devices.0.min(MOST_DEVICES) {
            k += 1.0;
            blocked = self.next(blocked, k);
        }
        self.tail(blocked, devices.0, limit)
    }

    /// Erlang C itself: the share of requests that wait at all.
    pub fn waits(&self, devices: Devices) -> Share {
        self.waits_longer(devices, Seconds(0.0))
    }

    /// Fewest devices with P(W > t) no more than `share`.
    pub fn devices_for(&self, limit: Seconds, share: Share) -> Devices {
        if self.load <= 0.0 {
            return Devices(0.0);
        }
        let mut k = 0.0;
        let mut blocked = 1.0;
        loop {
            k += 1.0;
            blocked = self.next(blocked, k);
            let enough = k > self.load && self.tail(blocked, k, limit).0 <= share.0;
            if enough || k >= MOST_DEVICES {
                return Devices(k);
            }
        }
    }

    fn next(&self, blocked: f64, k: f64) -> f64 {
        self.load * blocked / (k + self.load * blocked)
    }

    fn tail(&self, blocked: f64, devices: f64, limit: Seconds) -> Share {
        let waits = blocked / (1.0 - self.load / devices * (1.0 - blocked));
        Share(waits * libm::exp(-(devices - self.load) * limit.0 / self.service.0))
    }
}
