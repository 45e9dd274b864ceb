//! Inputs that are a choice, not a number: where each lies in a scenario, and what it is called.

use super::group::Group;
use super::option::{
    DataPolicy, EgressBasis, EngineeringBasis, FleetBasis, OptionInfo, PriceBasis, Routing, SloMetric,
    SloPercentile,
};
use super::scenario::Scenario;

/// One choice: where it lies in a scenario and what there is to choose from.
pub struct Choice {
    /// Name in files, addresses and messages.
    pub key: &'static str,
    /// Name on the page.
    pub label: &'static str,
    /// Where it stands.
    pub group: Group,
    /// The options.
    pub options: &'static [OptionInfo],
    /// Index of the chosen option.
    pub get: fn(&Scenario) -> usize,
    /// Chooses by index; an index beyond the last changes nothing.
    pub set: fn(&mut Scenario, usize),
    /// Whether the choice changes anything in this scenario.
    pub relevant: fn(&Scenario) -> bool,
}

macro_rules! entry {
    ($group:ident.$name:ident: $type:ident, $where:expr, $label:literal, $relevant:expr) => {
        Choice {
            key: concat!(stringify!($group), ".", stringify!($name)),
            label: $label,
            group: $where,
            options: $type::OPTIONS,
            get: |s| s.$group.$name as usize,
            set: |s, i| {
                if let Some(option) = $type::ALL.get(i) {
                    s.$group.$name = *option;
                }
            },
            relevant: $relevant,
        }
    };
}

/// Every choice, in the order of the page.
pub const CHOICES: &[Choice] = &[
    entry!(cloud.price: PriceBasis, Group::Cloud, "Pricing", |_| true),
    entry!(cloud.egress: EgressBasis, Group::Cloud, "Egress", |_| true),
    entry!(engineering.basis: EngineeringBasis, Group::Engineering, "Estimate", |_| true),
    entry!(edge.fleet: FleetBasis, Group::Edge, "Fleet", |_| true),
    entry!(hybrid.routing: Routing, Group::Hybrid, "Sent to the cloud", |s| s.policy.data == DataPolicy::Prohibited),
    entry!(policy.data: DataPolicy, Group::Policy, "Data policy", |_| true),
    entry!(policy.slo_metric: SloMetric, Group::Policy, "Latency metric", |s| s.policy.slo.0 > 0.0),
    entry!(policy.slo_percentile: SloPercentile, Group::Policy, "Latency percentile", |s| s.policy.slo.0 > 0.0),
];
