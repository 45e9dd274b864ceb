//! Requirements that a deployment meets before its price counts, in order.

use serde::{Deserialize, Serialize};

use super::capacity::{Queue, capacity};
use crate::bill::service_time;
use crate::deployment::Deployment;
use crate::input::{DataPolicy, FleetBasis, Routing, Scenario};
use crate::memory::memory_needed;
use crate::money::{count, share};
use crate::units::{Bytes, Gigabytes, Milliseconds, Share};

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Measured on this device.
    Measured,
    /// Drawn by a simulation.
    Simulated,
    /// Entered, or a default.
    Assumed,
    /// Computed from other inputs.
    Computed,
}

/// A value from outside the scenario.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

/// Facts from beyond the scenario; each array in the order of [`Deployment::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The latency that the objective names, at its percentile.
    pub latency: [Option<Sampled<Milliseconds>>; 5],
    /// Memory that a model may use.
    pub memory: [Option<Sampled<Gigabytes>>; 5],
    /// Share of the task's tests passed.
    pub quality: [Option<Sampled<Share>>; 5],
}

/// One requirement, in the order they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Data may go where the deployment sends it.
    DataPolicy,
    /// Answers are good enough.
    Quality,
    /// The model fits in memory.
    Memory,
    /// Answers are fast enough.
    Latency,
    /// The servers keep up.
    Capacity,
}

impl Gate {
    /// Every gate, in order.
    pub const ALL: [Self; 5] = [Self::DataPolicy, Self::Quality, Self::Memory, Self::Latency, Self::Capacity];

    /// Name on the page.
    pub fn label(self) -> &'static str {
        ["Data policy", "Quality", "Memory", "Latency", "Capacity"][self as usize]
    }
}

/// How a gate came out. A gate that is not checked excludes nothing, and is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Met.
    Passed,
    /// Not met: the deployment is out.
    Failed,
    /// Nothing to check it against, or nothing to check.
    NotChecked,
}

/// One gate of one deployment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateResult {
    /// Which deployment.
    pub deployment: Deployment,
    /// Which gate.
    pub gate: Gate,
    /// The value found.
    pub value: Option<f64>,
    /// The value required.
    pub threshold: Option<f64>,
    /// Unit of both.
    pub unit: &'static str,
    /// Where the value comes from.
    pub origin: Origin,
    /// How it came out.
    pub outcome: Outcome,
    /// The same in words.
    pub sentence: String,
}

/// A finding before it is laid at a deployment's gate.
struct Finding {
    value: Option<f64>,
    threshold: Option<f64>,
    unit: &'static str,
    origin: Origin,
    outcome: Outcome,
    sentence: String,
}

impl Finding {
    fn unchecked(sentence: &str) -> Self {
        Self {
            value: None,
            threshold: None,
            unit: "",
            origin: Origin::Assumed,
            outcome: Outcome::NotChecked,
            sentence: sentence.to_owned(),
        }
    }

    fn checked(
        sample: Sampled<f64>,
        threshold: f64,
        unit: &'static str,
        met: bool,
        sentence: String,
    ) -> Self {
        Self {
            value: Some(sample.value),
            threshold: Some(threshold),
            unit,
            origin: sample.origin,
            outcome: if met { Outcome::Passed } else { Outcome::Failed },
            sentence,
        }
    }
}

/// Every gate of a deployment, in order.
pub(crate) fn gates(s: &Scenario, evidence: &Evidence, deployment: Deployment) -> [GateResult; 5] {
    Gate::ALL.map(|gate| {
        let found = match gate {
            Gate::DataPolicy => data_policy(s, deployment),
            Gate::Quality => quality(s, evidence, deployment),
            Gate::Memory => memory(s, evidence, deployment),
            Gate::Latency => latency(s, evidence, deployment),
            Gate::Capacity => waiting(s, deployment),
        };
        let Finding { value, threshold, unit, origin, outcome, sentence } = found;
        GateResult { deployment, gate, value, threshold, unit, origin, outcome, sentence }
    })
}

/// Share of requests that a deployment sends to the cloud.
pub fn cloud_share(s: &Scenario, deployment: Deployment) -> Share {
    Share(match deployment {
        Deployment::Cloud => 1.0,
        Deployment::Edge => 0.0,
        Deployment::OnDevice => 1.0 - s.on_device.coverage.0,
        Deployment::Browser => 1.0 - s.browser.coverage.0,
        Deployment::Hybrid => 1.0 - s.hybrid.share.0 * (1.0 - s.hybrid.escalation.0),
    })
}

fn data_policy(s: &Scenario, deployment: Deployment) -> Finding {
    let sent = cloud_share(s, deployment).0;
    let regulated_stays = deployment == Deployment::Hybrid && s.hybrid.routing == Routing::RegulatedStays;
    let met = s.policy.data != DataPolicy::Prohibited || sent == 0.0 || regulated_stays;
    let what = match sent {
        1.0 => "Every request goes to the cloud".to_owned(),
        0.0 => "No request goes to the cloud".to_owned(),
        sent => format!("{} of requests go to the cloud", share(sent)),
    };
    let verdict = match s.policy.data {
        DataPolicy::Free => "data may leave",
        DataPolicy::AllowedWithAgreement if sent > 0.0 => "allowed under a data-processing agreement",
        DataPolicy::Prohibited if sent > 0.0 && regulated_stays => "none with regulated data",
        DataPolicy::Prohibited if sent > 0.0 => "data may not leave",
        DataPolicy::AllowedWithAgreement | DataPolicy::Prohibited => "nothing leaves",
    };
    let threshold = if s.policy.data == DataPolicy::Prohibited && !regulated_stays { 0.0 } else { 1.0 };
    let sample = Sampled { value: sent, origin: Origin::Computed };
    Finding::checked(sample, threshold, "share of requests to the cloud", met, format!("{what}: {verdict}."))
}

fn quality(s: &Scenario, evidence: &Evidence, deployment: Deployment) -> Finding {
    let least = s.policy.min_quality.0;
    if least <= 0.0 {
        return Finding::unchecked("No lowest quality is set.");
    }
    let sent = cloud_share(s, deployment).0;
    let mixed = sent * s.policy.cloud_quality.0 + (1.0 - sent) * s.policy.local_quality.0;
    let sample = match evidence.quality[deployment as usize] {
        Some(Sampled { value, origin }) => Sampled { value: value.0, origin },
        None => Sampled { value: mixed, origin: Origin::Assumed },
    };
    let sentence =
        format!("{} of the task's tests pass; at least {} must.", share(sample.value), share(least));
    Finding::checked(sample, least, "share of tests passed", sample.value >= least, sentence)
}

fn memory(s: &Scenario, evidence: &Evidence, deployment: Deployment) -> Finding {
    let (weights, assumed) = match deployment {
        Deployment::Cloud => return Finding::unchecked("The provider's memory is the provider's business."),
        Deployment::Edge | Deployment::Hybrid => (s.policy.weights, s.edge.memory),
        Deployment::OnDevice => (s.policy.weights, s.on_device.memory),
        Deployment::Browser => (s.browser.download, s.browser.memory),
    };
    let needed = memory_needed(Bytes(weights.0 * 1e9)).0 / 1e9;
    let found =
        evidence.memory[deployment as usize].unwrap_or(Sampled { value: assumed, origin: Origin::Assumed });
    let sample = Sampled { value: found.value.0, origin: found.origin };
    let sentence = format!(
        "{:.2} GB of memory; 1.5 times the weights of {:.2} GB are {needed:.2} GB.",
        sample.value, weights.0
    );
    Finding::checked(sample, needed, "GB", sample.value >= needed, sentence)
}

fn latency(s: &Scenario, evidence: &Evidence, deployment: Deployment) -> Finding {
    let most = s.policy.slo;
    if most.0 <= 0.0 {
        return Finding::unchecked("No longest latency is set.");
    }
    let entered = |value: Milliseconds| (value.0 > 0.0).then_some(Sampled { value, origin: Origin::Assumed });
    let sampled = |d: Deployment| evidence.latency[d as usize];
    let cloud = sampled(Deployment::Cloud).or(entered(s.policy.cloud_latency));
    let own = sampled(deployment).or(entered(s.policy.local_latency));
    let sent = cloud_share(s, deployment).0;
    // A percentile of a mixture cannot be had from those of its parts: the slower path is a bound, and one path
    // that is too slow already exceeds it.
    let found = match (deployment, own, cloud) {
        (Deployment::Cloud, _, cloud) => cloud,
        (_, own, _) if sent == 0.0 => own,
        (_, Some(own), Some(cloud)) => Some(if own.value >= cloud.value { own } else { cloud }),
        (_, own, cloud) => own.or(cloud).filter(|known| known.value > most),
    };
    let metric = s.policy.slo_metric.info().label;
    let percentile = s.policy.slo_percentile.info().label;
    let Some(Sampled { value: Milliseconds(value), origin }) = found else {
        return Finding::unchecked(&format!("{metric}, {percentile}: neither sampled nor entered."));
    };
    let path = if sent > 0.0 && sent < 1.0 { " on the slower path" } else { "" };
    let sentence =
        format!("{metric}, {percentile}: {} ms{path}; at most {} ms.", count(value), count(most.0));
    Finding::checked(Sampled { value, origin }, most.0, "ms", value <= most.0, sentence)
}

fn waiting(s: &Scenario, deployment: Deployment) -> Finding {
    let Some(c) = capacity(s, deployment) else {
        return Finding::unchecked("No servers of one's own, no queue of one's own.");
    };
    let needed = count(c.devices_needed.0);
    if c.basis == FleetBasis::Fixed {
        let sentence =
            format!("Capacity unverified: the hardware is as entered; the load needs {needed} devices.");
        return Finding::unchecked(&sentence);
    }
    let queue = Queue { load: c.peak_load, service: service_time(s) };
    let waiting = queue.waits_longer(c.devices, s.edge.wait_limit).0;
    let sentence = format!(
        "With {needed} devices {} of requests at the peak wait longer than {} s; at most {} may.",
        share(waiting),
        s.edge.wait_limit.0,
        share(s.edge.wait_share.0)
    );
    let sample = Sampled { value: waiting, origin: Origin::Computed };
    let met = waiting <= s.edge.wait_share.0;
    Finding::checked(sample, s.edge.wait_share.0, "share of requests waiting too long", met, sentence)
}
