//! The report of a scenario: each bill, and each deployment beside the cloud.

use serde::Serialize;

use crate::bill::{Bill, Depreciation, Downloads, Fleet, bill, depreciation, downloads};
use crate::compare::{Comparison, Conventions, compare, convention, conventions};
use crate::decide::{Capacity, Decision, Evidence, Warning, capacity, decide, warnings};
use crate::deployment::Deployment;
use crate::input::{InputError, Scenario};

/// The report of a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The inputs it was made from.
    pub scenario: Scenario,
    /// How money is counted.
    pub convention: String,
    /// Bill of each deployment, in the order of [`Deployment::ALL`].
    pub bills: [Bill; 5],
    /// Edge, on-device, browser and hybrid beside the cloud.
    pub comparisons: [Comparison; 4],
    /// Worth of choosing the edge under other ways of discounting.
    pub edge_by_convention: Conventions,
    /// The edge's servers.
    pub edge_capacity: Option<Capacity>,
    /// The hybrid's servers.
    pub hybrid_capacity: Option<Capacity>,
    /// How the edge's hardware is written off: information, not cash.
    pub depreciation: Depreciation,
    /// Downloads of the model to users' devices.
    #[serde(rename = "endpoint_downloads")]
    pub on_device_downloads: Option<Downloads>,
    /// Downloads of the model to browsers.
    pub browser_downloads: Option<Downloads>,
    /// Inputs that are allowed but hard to believe.
    pub warnings: Vec<Warning>,
    /// The choice, and the reasons for it.
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
        comparisons: [Deployment::Edge, Deployment::OnDevice, Deployment::Browser, Deployment::Hybrid]
            .map(|d| compare(s, d)),
        edge_by_convention: conventions(s, Deployment::Edge),
        edge_capacity: capacity(s, Deployment::Edge),
        hybrid_capacity: capacity(s, Deployment::Hybrid),
        depreciation: depreciation(s, Fleet::of(s, Deployment::Edge).hardware),
        on_device_downloads: downloads(s, Deployment::OnDevice),
        browser_downloads: downloads(s, Deployment::Browser),
        warnings: warnings(s),
        decision: decide(s, evidence),
    })
}
