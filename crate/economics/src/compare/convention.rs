//! How money of different months is added up, and how much another habit would change.

use serde::Serialize;

use crate::bill::totals_at;
use crate::deployment::Deployment;
use crate::input::{Finance, Scenario};
use crate::money::share;
use crate::units::{Months, Share, Usd};

/// The convention that every figure follows, for printing beside results.
pub fn convention(s: &Scenario) -> String {
    let rate = match s.finance.hurdle_rate.0 {
        0.0 => "not discounted".to_owned(),
        r => format!("discounted at {} a year, i = (1 + r)^(1/12) − 1 a month", share(r)),
    };
    format!(
        "nominal US dollars, before tax, hardware and engineering at the start, monthly costs at the end of each \
         month, {rate}, 730 hours a month"
    )
}

/// Present worth of choosing a deployment under each way of discounting in use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Conventions {
    /// Effective rate, (1 + r)^(1/12) − 1 a month: the one used everywhere here.
    pub effective_monthly: Usd,
    /// Nominal rate, r ÷ 12 a month.
    pub nominal_monthly: Usd,
    /// A year's flows at the end of the year.
    pub end_of_year: Usd,
    /// A year's flows in the middle of the year.
    pub mid_year: Usd,
}

/// Worth of choosing a deployment instead of the cloud under each way of discounting.
pub fn conventions(s: &Scenario, deployment: Deployment) -> Conventions {
    let rate = s.finance.hurdle_rate.0;
    let horizon = s.finance.horizon.0;
    let saved = |s: &Scenario, month: u32| {
        let all = totals_at(s, Months(month));
        all[Deployment::Cloud as usize].beyond(all[deployment as usize])
    };
    let nominal = Share(libm::expm1(12.0 * libm::log1p(rate / 12.0)));
    let nominal = Scenario { finance: Finance { hurdle_rate: nominal, ..s.finance }, ..*s };
    let yearly = |shift: f64| {
        let mut worth = saved(s, 0).undiscounted.0;
        for year in 1..=horizon.div_ceil(12) {
            let from = 12 * (year - 1);
            let to = (12 * year).min(horizon);
            let flow = saved(s, to).undiscounted.0 - saved(s, from).undiscounted.0;
            worth += flow * libm::exp(-libm::log1p(rate) * (f64::from(year) - shift));
        }
        Usd(worth)
    };
    Conventions {
        effective_monthly: saved(s, horizon).present,
        nominal_monthly: saved(&nominal, horizon).present,
        end_of_year: yearly(0.0),
        mid_year: yearly(0.5),
    }
}
