//! When a deployment has paid for itself, and at what return.

use serde::Serialize;

use crate::bill::{Basis, Factors, Fleet, monthly_log_rate, operator_total};
use crate::deployment::Deployment;
use crate::input::Scenario;

/// When a deployment has paid for its upfront cost. The residual value of hardware is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BreakEven {
    /// Months, in parts; `None` is never, or not within [`LONGEST_PAYBACK`].
    pub exact_months: Option<f64>,
    /// The first month at whose end the deployment has cost no more than the cloud.
    pub month: Option<u32>,
}

/// Paying back after more months than this is never.
pub const LONGEST_PAYBACK: u32 = 600;

/// A month's end that is reached up to rounding is reached.
const ROUNDING: f64 = 1e-12;

/// cloud − deployment so far, as a function of time.
struct SoFar<'a> {
    s: &'a Scenario,
    deployment: Deployment,
    basis: Basis,
    fleet: Fleet,
}

impl SoFar<'_> {
    /// By the end of `months` at ln(1 + i) = `rate`, and the size of the sums it is the difference of.
    fn at(&self, months: f64, rate: f64, residual: bool) -> (f64, f64) {
        let factors = Factors::at_rate(self.s, months, rate);
        let factors = if residual { factors } else { factors.without_residual() };
        let sum = |d: Deployment| self.basis.of(operator_total(self.s, d, &self.fleet, &factors)).0;
        let cloud = sum(Deployment::Cloud);
        let other = sum(self.deployment);
        (cloud - other, cloud.abs().max(other.abs()))
    }

    fn reached(&self, months: f64, rate: f64) -> bool {
        let (saved, size) = self.at(months, rate, false);
        saved >= -ROUNDING * size
    }
}

/// (hardware + engineering) ÷ (net saving a month), or at present value −ln(1 − K·i ÷ a) ÷ ln(1 + i)
/// with K the upfront cost and a the net saving a month. Found month by month, so that growing volumes and falling
/// prices count; between two months' ends it is the point where the curves meet.
pub fn break_even(s: &Scenario, deployment: Deployment, basis: Basis) -> BreakEven {
    let rate = monthly_log_rate(s.finance.hurdle_rate.0);
    let so_far = SoFar { s, deployment, basis, fleet: Fleet::of(s, deployment) };
    let never = BreakEven { exact_months: None, month: None };
    let Some(month) = (0..=LONGEST_PAYBACK).find(|m| so_far.reached(f64::from(*m), rate)) else {
        return never;
    };
    // A cloud that costs nothing is never undercut, even by nothing.
    if so_far.at(f64::from(month), rate, false).1 == 0.0 && so_far.at(1.0, rate, false).0 <= 0.0 {
        return never;
    }
    let month_end = f64::from(month);
    let exact = if month == 0 {
        0.0
    } else {
        bisect(month_end - 1.0, month_end, |m| so_far.at(m, rate, false).0 >= 0.0)
    };
    BreakEven { exact_months: Some(exact), month: Some(month) }
}

/// Internal rate of return.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Irr {
    /// A month.
    pub monthly: f64,
    /// A year: (1 + monthly)¹² − 1.
    pub yearly: f64,
}

/// Bounds of ln(1 + i): returns from −39 % to +639 % a month.
const RATES: (f64, f64) = (-0.5, 2.0);

/// The rate at which choosing the deployment instead of the cloud is worth nothing over the horizon; `None`
/// where there is no investment to return, or no return within reason.
pub fn irr(s: &Scenario, deployment: Deployment) -> Option<Irr> {
    let so_far = SoFar { s, deployment, basis: Basis::Present, fleet: Fleet::of(s, deployment) };
    let worth = |rate: f64| so_far.at(f64::from(s.finance.horizon.0), rate, true).0;
    let invests = so_far.at(0.0, 0.0, false).0 < 0.0;
    if !invests || worth(RATES.0) <= 0.0 || worth(RATES.1) >= 0.0 {
        return None;
    }
    let rate = bisect(RATES.0, RATES.1, |rate| worth(rate) <= 0.0);
    Some(Irr { monthly: libm::expm1(rate), yearly: libm::expm1(12.0 * rate) })
}

/// Where `reached` becomes true between `low` (false) and `high` (true), to the last bits.
fn bisect(mut low: f64, mut high: f64, reached: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..52 {
        let middle = 0.5 * (low + high);
        if reached(middle) { high = middle } else { low = middle }
    }
    high
}
