//! Total cost of ownership: formulas F1 to F7, in one function that every view calls.
//!
//! The formulas are the source article's. F1 to F5 stand in its text; F6 and F7 follow from them: F6 is F5
//! over an endless horizon, F7 solves F1 = F2 for the month. Units and ranges of the inputs are those of
//! [`crate::FIELDS`].
//!
//! | | formula | unit | where it has no value |
//! |---|---|---|---|
//! | F1 | price · volume · months | $ | |
//! | F2 | hardware + upkeep · months + engineering | $ | |
//! | F3 | F1 > F2, strictly | verdict | equal up to rounding: a tie |
//! | F4 | F1 − F2, and that ÷ F1 | $, share | no share of a cloud that costs nothing |
//! | F5 | F2 ÷ (price · months) | requests a month | none when the price is 0 |
//! | F6 | upkeep ÷ price | requests a month | none when the price is 0 |
//! | F7 | (hardware + engineering) ÷ (price · volume − upkeep) | months | never when the divisor is not above 0 |

use serde::Serialize;

use crate::money::{count, share, usd};
use crate::scenario::{InputError, Scenario};
use crate::units::{Months, RequestsPerMonth, Usd};

/// Two sums of a few rounded products that differ by less than this share are the same sum: eight roundings
/// of an f64, of 1.1e-16 each, with room to spare. A tie on paper must not become a saving of 5e-13 dollars.
const ROUNDING: f64 = 1e-14;

/// Which side costs less over the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// F3: the cloud costs strictly more.
    EdgeCheaper,
    /// The edge costs strictly more.
    CloudCheaper,
    /// The same, up to the rounding of the arithmetic.
    Equal,
}

/// When the edge has paid for its upfront cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BreakEven {
    /// F7, months; `None` when the cloud's bill does not exceed the upkeep: never.
    pub exact_months: Option<f64>,
    /// The first month at whose end the edge has cost no more.
    pub month: Option<u32>,
}

/// What a scenario comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The inputs it was made from.
    pub scenario: Scenario,
    /// F1 over the horizon.
    pub cloud: Usd,
    /// F2 over the horizon.
    pub edge: Usd,
    /// F4, cloud − edge; negative when the edge costs more.
    pub saving: Usd,
    /// F4 ÷ F1; `None` when the cloud costs nothing.
    pub saving_share: Option<f64>,
    /// F3.
    pub verdict: Verdict,
    /// F5: above this volume the edge is cheaper over this horizon; `None` when no volume is enough.
    pub tipping_volume: Option<RequestsPerMonth>,
    /// F6: below this volume the edge never wins, however long; `None` when no volume is enough.
    pub floor_volume: Option<RequestsPerMonth>,
    /// F7.
    pub break_even: BreakEven,
}

/// F1, what the cloud costs over `months`: price · volume · months.
pub(crate) fn cloud(s: &Scenario, months: Months) -> Usd {
    Usd(s.usd_per_request.0 * s.requests_per_month.0 * f64::from(months.0))
}

/// F2, what the edge costs over `months`: hardware + upkeep · months + engineering.
pub(crate) fn edge(s: &Scenario, months: Months) -> Usd {
    Usd(s.capex.0 + s.lifecycle.0 * f64::from(months.0) + s.engineering.0)
}

/// Prices a scenario.
///
/// # Errors
/// Every input out of its range.
pub fn evaluate(scenario: &Scenario) -> Result<Report, Vec<InputError>> {
    scenario.validate()?;
    let (cloud, edge) = (cloud(scenario, scenario.horizon), edge(scenario, scenario.horizon));
    let saving = Usd(difference(cloud, edge));
    let verdict = match saving.0 {
        s if s > 0.0 => Verdict::EdgeCheaper,
        s if s < 0.0 => Verdict::CloudCheaper,
        _ => Verdict::Equal,
    };
    let price = scenario.usd_per_request.0;
    let months = f64::from(scenario.horizon.0);
    // A price too small to divide by is no price.
    let volume = |requests: f64| requests.is_finite().then_some(RequestsPerMonth(requests));
    Ok(Report {
        scenario: *scenario,
        cloud,
        edge,
        saving,
        saving_share: (cloud.0 > 0.0).then(|| saving.0 / cloud.0),
        verdict,
        tipping_volume: volume(edge.0 / (price * months)).filter(|_| price > 0.0),
        floor_volume: volume(scenario.lifecycle.0 / price).filter(|_| price > 0.0),
        break_even: break_even(scenario),
    })
}

/// cloud − edge; 0 where they differ by rounding alone.
fn difference(cloud: Usd, edge: Usd) -> f64 {
    let difference = cloud.0 - edge.0;
    if difference.abs() <= ROUNDING * cloud.0.max(edge.0) { 0.0 } else { difference }
}

/// F7: (hardware + engineering) ÷ (price · volume − upkeep).
fn break_even(s: &Scenario) -> BreakEven {
    let net = difference(cloud(s, Months(1)), Usd(s.lifecycle.0));
    let exact_months = (net > 0.0).then(|| (s.capex.0 + s.engineering.0) / net);
    // The end of a month that is reached up to rounding is reached. Beyond what a month counter holds is never.
    let reached = |exact: f64| (exact * (1.0 - ROUNDING)).ceil();
    let month = exact_months.map(reached).filter(|m| *m <= f64::from(u32::MAX)).map(|m| m as u32);
    BreakEven { exact_months, month }
}

impl Report {
    /// The verdict in one sentence, in a buyer's words.
    pub fn sentence(&self) -> String {
        let (volume, months) = (count(self.scenario.requests_per_month.0), self.scenario.horizon.0);
        let costs = format!(
            "At {volume} requests a month over {months} months the cloud costs {} and the edge {}",
            usd(self.cloud),
            usd(self.edge)
        );
        let difference = usd(Usd(self.saving.0.abs()));
        match self.verdict {
            Verdict::EdgeCheaper => {
                let part = self.saving_share.map_or(String::new(), |s| format!(" ({})", share(s)));
                format!("{costs}: the edge saves {difference}{part}.")
            }
            Verdict::CloudCheaper => format!("{costs}: the cloud is cheaper by {difference}."),
            Verdict::Equal => format!("{costs}: they cost the same."),
        }
    }

    /// From which volume and month the edge wins, in one sentence.
    pub fn threshold_sentence(&self) -> String {
        let Some(tipping) = self.tipping_volume else {
            return "The cloud charges nothing here, so no volume makes the edge cheaper.".to_owned();
        };
        let volume = format!(
            "Over {} months the edge is cheaper above {} requests a month",
            self.scenario.horizon.0,
            count(tipping.0)
        );
        match self.break_even.month {
            Some(0) => format!("{volume}; at your volume it is cheaper from the start."),
            Some(month) if month <= self.scenario.horizon.0 => {
                format!("{volume}; at your volume it has paid for itself in month {month}.")
            }
            Some(month) => format!(
                "{volume}; at your volume it would pay for itself in month {}, after the horizon.",
                count(f64::from(month))
            ),
            None => format!("{volume}; at your volume it never pays for itself."),
        }
    }
}
