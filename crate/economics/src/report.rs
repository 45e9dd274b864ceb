//! What a scenario comes to: each bill, and each deployment beside the cloud.

use serde::Serialize;

use crate::bill::{Bill, bill, totals};
use crate::capacity::{Capacity, capacity};
use crate::convention::{Conventions, convention, conventions};
use crate::crossing::{Basis, Crossings, crossings, floor_volume};
use crate::decision::{Decision, decide};
use crate::deployment::Deployment;
use crate::depreciation::{Depreciation, depreciation};
use crate::downloads::{Downloads, downloads};
use crate::error::InputError;
use crate::field::FIELDS;
use crate::fleet::Fleet;
use crate::flow::Total;
use crate::gate::Evidence;
use crate::payback::{BreakEven, Irr, break_even, irr};
use crate::scenario::Scenario;
use crate::units::{RequestsPerMonth, Usd};
use crate::warning::{Warning, warnings};

/// Two sums of a few rounded products that differ by less than this share are the same sum: a few dozen roundings
/// of an f64, of 1.1e-16 each. A tie on paper must not become a saving of 5e-13 dollars.
const ROUNDING: f64 = 1e-14;

/// Which side costs less over the horizon, at present value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// F3: the cloud costs strictly more.
    Cheaper,
    /// The deployment costs strictly more than the cloud.
    Dearer,
    /// The same, up to the rounding of the arithmetic.
    Equal,
}

/// A deployment beside the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Which deployment.
    pub deployment: Deployment,
    /// What the cloud costs.
    pub cloud: Total,
    /// What the deployment costs.
    pub other: Total,
    /// F4, cloud − deployment; `present` is the net present value of choosing the deployment.
    pub saving: Total,
    /// F4 ÷ F1, not discounted; `None` when the cloud costs nothing.
    pub saving_share: Option<f64>,
    /// The dearer ÷ the cheaper, at present value; `None` when the cheaper costs nothing.
    pub ratio: Option<f64>,
    /// F3, at present value.
    pub verdict: Verdict,
    /// F5: volumes at which both cost the same, not discounted.
    pub tipping: Crossings,
    /// C1, C2: the same at present value.
    pub tipping_present: Crossings,
    /// F6: below this volume the deployment never wins, however long the horizon.
    pub floor_volume: Option<RequestsPerMonth>,
    /// F7: when it has paid for itself, not discounted.
    pub break_even: BreakEven,
    /// C1: the same at present value.
    pub break_even_present: BreakEven,
    /// C1: the return on choosing it instead of the cloud.
    pub irr: Option<Irr>,
}

/// What a scenario comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The inputs it was made from.
    pub scenario: Scenario,
    /// How money is counted.
    pub convention: String,
    /// What each deployment costs, in the order of [`Deployment::ALL`].
    pub bills: [Bill; 5],
    /// Edge, endpoint, browser and hybrid beside the cloud.
    pub comparisons: [Comparison; 4],
    /// C1: what choosing the edge is worth under other ways of discounting.
    pub edge_by_convention: Conventions,
    /// The edge's servers.
    pub edge_capacity: Option<Capacity>,
    /// The hybrid's servers.
    pub hybrid_capacity: Option<Capacity>,
    /// How the edge's hardware is written off: information, not cash.
    pub depreciation: Depreciation,
    /// What brings the model to users' devices.
    pub endpoint_downloads: Option<Downloads>,
    /// What brings the model to browsers.
    pub browser_downloads: Option<Downloads>,
    /// Inputs that are allowed but hard to believe.
    pub warnings: Vec<Warning>,
    /// What to choose, and why.
    pub decision: Decision,
}

/// Prices a scenario, without samples from outside.
///
/// # Errors
/// Every input out of its range.
pub fn evaluate(s: &Scenario) -> Result<Report, Vec<InputError>> {
    evaluate_with(s, &Evidence::default())
}

/// Prices a scenario, with what is known beyond it.
///
/// # Errors
/// Every input out of its range.
pub fn evaluate_with(s: &Scenario, evidence: &Evidence) -> Result<Report, Vec<InputError>> {
    s.validate()?;
    Ok(Report {
        scenario: *s,
        convention: convention(s),
        bills: Deployment::ALL.map(|d| bill(s, d)),
        comparisons: [Deployment::Edge, Deployment::Endpoint, Deployment::Browser, Deployment::Hybrid]
            .map(|d| compare(s, d)),
        edge_by_convention: conventions(s, Deployment::Edge),
        edge_capacity: capacity(s, Deployment::Edge),
        hybrid_capacity: capacity(s, Deployment::Hybrid),
        depreciation: depreciation(s, Fleet::of(s, Deployment::Edge).hardware),
        endpoint_downloads: downloads(s, Deployment::Endpoint),
        browser_downloads: downloads(s, Deployment::Browser),
        warnings: warnings(s),
        decision: decide(s, evidence),
    })
}

/// A deployment beside the cloud. Inputs are not checked.
pub fn compare(s: &Scenario, deployment: Deployment) -> Comparison {
    let totals = totals(s);
    let (cloud, other) = (totals[Deployment::Cloud as usize], totals[deployment as usize]);
    let saving = difference(cloud, other);
    let (high, low) = (cloud.present.0.max(other.present.0), cloud.present.0.min(other.present.0));
    Comparison {
        deployment,
        cloud,
        other,
        saving,
        saving_share: (cloud.undiscounted.0 > 0.0).then(|| saving.undiscounted.0 / cloud.undiscounted.0),
        ratio: (low > 0.0).then(|| high / low),
        verdict: match saving.present.0 {
            s if s > 0.0 => Verdict::Cheaper,
            s if s < 0.0 => Verdict::Dearer,
            _ => Verdict::Equal,
        },
        tipping: crossings(s, deployment, Basis::Undiscounted),
        tipping_present: crossings(s, deployment, Basis::Present),
        floor_volume: floor_volume(s, deployment),
        break_even: break_even(s, deployment, Basis::Undiscounted),
        break_even_present: break_even(s, deployment, Basis::Present),
        irr: irr(s, deployment),
    }
}

/// cloud − other; 0 where they differ by rounding alone.
pub(crate) fn difference(cloud: Total, other: Total) -> Total {
    let apart = |a: f64, b: f64| if (a - b).abs() <= ROUNDING * a.abs().max(b.abs()) { 0.0 } else { a - b };
    Total {
        undiscounted: Usd(apart(cloud.undiscounted.0, other.undiscounted.0)),
        present: Usd(apart(cloud.present.0, other.present.0)),
    }
}

impl Scenario {
    /// # Errors
    /// Every input out of its range, all at once.
    pub fn validate(&self) -> Result<(), Vec<InputError>> {
        let errors: Vec<InputError> =
            FIELDS.iter().filter_map(|field| field.check((field.get)(self)).err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }
}
