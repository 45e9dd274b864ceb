//! Prices and quantities that several lines of a bill are made from.

use crate::input::{EngineeringBasis, PriceBasis, Scenario};
use crate::units::{RequestsPerMonth, Usd, UsdPerRequest};

/// Price of a request on the chosen basis, without egress. Per token: (read · price + cached · price +
/// written · price) ÷ 10⁶.
pub fn request_price(s: &Scenario) -> UsdPerRequest {
    let c = &s.cloud;
    let d = &s.demand;
    UsdPerRequest(match c.price {
        PriceBasis::PerRequest => c.usd_per_request.0,
        PriceBasis::PerToken => {
            (d.input_tokens.0 * c.usd_per_million_input.0
                + d.cached_tokens.0 * c.usd_per_million_cached.0
                + d.output_tokens.0 * c.usd_per_million_output.0)
                / 1e6
        }
        PriceBasis::PerSecond => c.usd_per_second.0 * c.seconds_per_request.0,
    })
}

/// Price of engineering, once.
pub fn engineering_cost(s: &Scenario) -> Usd {
    match s.engineering.basis {
        EngineeringBasis::LumpSum => s.engineering.lump_sum,
        EngineeringBasis::WeeksAtRate => Usd(s.engineering.weeks.0 * s.engineering.usd_per_week.0),
    }
}

/// Users in the first month: requests ÷ requests of a user.
pub(crate) fn users(s: &Scenario) -> f64 {
    s.demand.requests_per_month.0 / s.demand.requests_per_user.0
}

/// How many of a month's users fetch the model: the new ones, and of the others those who no longer hold it.
pub(crate) fn download_share(s: &Scenario, evicted: f64) -> f64 {
    s.demand.new_users.0 + (1.0 - s.demand.new_users.0) * evicted
}

/// Hours in a month, as cloud providers count them: 8,760 ÷ 12.
pub(crate) const HOURS_PER_MONTH: f64 = 730.0;

/// Electricity of one answer: W ÷ (tokens/s) · tokens ÷ 3.6e6 J/kWh · tariff.
pub(crate) fn energy_per_request(s: &Scenario, watts: f64, tokens_per_second: f64) -> UsdPerRequest {
    UsdPerRequest(watts / tokens_per_second * s.demand.output_tokens.0 / 3.6e6 * s.finance.tariff.0)
}

/// The busiest month's requests ÷ the first month's.
pub(crate) fn peak_growth(s: &Scenario) -> f64 {
    let last = f64::from(s.finance.horizon.0) - 1.0;
    libm::exp(libm::log1p(s.demand.growth_per_month.0) * last).max(1.0)
}

/// The busiest month's requests.
pub(crate) fn peak_requests(s: &Scenario) -> RequestsPerMonth {
    RequestsPerMonth(s.demand.requests_per_month.0 * peak_growth(s))
}
