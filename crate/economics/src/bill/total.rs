//! The bill of each deployment, line by line. Every total, chart and table is made from these lines.

use serde::Serialize;

use super::fleet::Fleet;
use super::flow::{Factors, Total};
use super::line::{Line, Payer};
use super::lines::lines;
use crate::deployment::Deployment;
use crate::input::Scenario;
use crate::units::Months;

/// A line with what it comes to over the horizon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BillLine {
    /// The line.
    #[serde(flatten)]
    pub line: Line,
    /// Its total.
    pub total: Total,
}

/// Everything that a deployment costs over the horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bill {
    /// Whose it is.
    pub deployment: Deployment,
    /// Line by line; the total is the sum of those that the operator pays.
    pub lines: Vec<BillLine>,
    /// The operator's total.
    pub total: Total,
    /// The users' total beside it.
    pub paid_by_users: Total,
}

/// Cost of every deployment over the horizon, in the order of [`Deployment::ALL`], without allocating: about a
/// microsecond. Inputs are not checked; see [`Scenario::validate`].
pub fn totals(s: &Scenario) -> [Total; 5] {
    totals_at(s, s.finance.horizon)
}

/// Cost of every deployment by the end of a month; 0 is the start.
pub fn totals_at(s: &Scenario, month: Months) -> [Total; 5] {
    let factors = Factors::at(s, month);
    Deployment::ALL.map(|d| operator_total(s, d, &Fleet::of(s, d), &factors))
}

/// Cost of one deployment to its operator with a given fleet.
pub(crate) fn operator_total(s: &Scenario, d: Deployment, fleet: &Fleet, factors: &Factors) -> Total {
    let mut total = Total::default();
    lines(s, d, fleet, &mut |line| {
        if line.payer == Payer::Operator {
            total += factors.total(line.flow);
        }
    });
    total
}

/// One deployment's bill over the horizon; lines of nothing are left out.
pub fn bill(s: &Scenario, deployment: Deployment) -> Bill {
    let factors = Factors::at(s, s.finance.horizon);
    let mut bill =
        Bill { deployment, lines: Vec::new(), total: Total::default(), paid_by_users: Total::default() };
    lines(s, deployment, &Fleet::of(s, deployment), &mut |line| {
        let total = factors.total(line.flow);
        match line.payer {
            Payer::Operator => bill.total += total,
            Payer::Users => bill.paid_by_users += total,
        }
        if total != Total::default() {
            bill.lines.push(BillLine { line, total });
        }
    });
    bill
}
