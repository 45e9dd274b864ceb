//! Series for charts.

use serde::Serialize;

use super::break_even_volume::break_even_volumes;
use crate::bill::{Basis, Payer, Total, bill, totals, totals_at};
use crate::deployment::Deployment;
use crate::input::{Finance, Scenario};
use crate::units::{Months, RequestsPerMonth, Usd};

/// Cost of every deployment by the end of a month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CumulativePoint {
    /// Month; 0 is the start.
    pub month: Months,
    /// In the order of [`crate::Deployment::ALL`].
    pub totals: [Total; 5],
}

/// Cost of every deployment over the horizon at one volume.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct VolumePoint {
    /// Requests in the first month.
    pub volume: RequestsPerMonth,
    /// In the order of [`crate::Deployment::ALL`].
    pub totals: [Total; 5],
}

/// Every deployment month by month, from the start to the horizon: horizon + 1 points.
pub fn cumulative(s: &Scenario) -> Vec<CumulativePoint> {
    let months = (0..=s.finance.horizon.0).map(Months);
    months.map(|month| CumulativePoint { month, totals: totals_at(s, month) }).collect()
}

/// Every deployment over the horizon at each of `volumes`.
pub fn by_volume(s: &Scenario, volumes: &[RequestsPerMonth]) -> Vec<VolumePoint> {
    volumes
        .iter()
        .map(|volume| VolumePoint { volume: *volume, totals: totals(&s.at_volume(*volume)) })
        .collect()
}

/// `points` volumes evenly spaced on a logarithmic axis from `from` to `to`, both included; `from` > 0 and
/// `points` ≥ 2.
pub fn log_volumes(from: RequestsPerMonth, to: RequestsPerMonth, points: usize) -> Vec<RequestsPerMonth> {
    let steps = points.saturating_sub(1).max(1) as f64;
    let ratio = libm::log(to.0 / from.0);
    (0..points).map(|i| RequestsPerMonth(from.0 * libm::exp(ratio * i as f64 / steps))).collect()
}

/// One bar of the way from what the cloud would have cost to what choosing a deployment is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaterfallStep {
    /// Its name.
    pub label: &'static str,
    /// Keys of the inputs it comes from; none for a total.
    pub inputs: Vec<&'static str>,
    /// By how much it moves the sum, at present value.
    pub change: Usd,
    /// The sum after it.
    pub after: Usd,
    /// Whether it is a total: the cloud's cost avoided at the left, the net present value at the right.
    pub total: bool,
}

/// The cloud's cost avoided, less each line of the deployment's bill, down to the net present value of choosing it.
pub fn waterfall(s: &Scenario, deployment: Deployment) -> Vec<WaterfallStep> {
    let avoided = totals(s)[Deployment::Cloud as usize].present;
    let first = WaterfallStep {
        label: "Cloud cost avoided",
        inputs: Vec::new(),
        change: avoided,
        after: avoided,
        total: true,
    };
    let mut steps = vec![first];
    let mut sum = avoided.0;
    for line in bill(s, deployment).lines.iter().filter(|line| line.line.payer == Payer::Operator) {
        sum -= line.total.present.0;
        steps.push(WaterfallStep {
            label: line.line.label,
            inputs: line.line.inputs.iter().collect(),
            change: Usd(-line.total.present.0),
            after: Usd(sum),
            total: false,
        });
    }
    let worth = Usd(sum);
    steps.push(WaterfallStep {
        label: "Net present value",
        inputs: Vec::new(),
        change: worth,
        after: worth,
        total: true,
    });
    steps
}

/// The break-even volume as the horizon grows: for each month from 1 to `longest`, the first volume at which the
/// deployment and the cloud cost the same at present value. The article calls it permanent; it is not.
pub fn break_even_volume_by_horizon(
    s: &Scenario,
    deployment: Deployment,
    longest: Months,
) -> Vec<(Months, Option<RequestsPerMonth>)> {
    let at = |months: u32| {
        let s = Scenario { finance: Finance { horizon: Months(months), ..s.finance }, ..*s };
        (Months(months), break_even_volumes(&s, deployment, Basis::Present).first)
    };
    (1..=longest.0).map(at).collect()
}
