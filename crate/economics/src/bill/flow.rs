//! Money over time: amounts, their growth, and what they come to by a month.
//!
//! A flow of `a` in month 1 that changes by the factor `q` from month to month comes to
//! a · Σ qʲ (j = 0 … n − 1) by the end of month n, and is worth a · (1 + i)⁻¹ · Σ kʲ with k = q ÷ (1 + i) today,
//! where i = (1 + r)^(1/12) − 1 (effective monthly rate; NIST Handbook 135 calls the sum a uniform present value).

use serde::Serialize;

use crate::input::Scenario;
use crate::units::{Months, Usd, UsdPerMonth};

/// When an amount is paid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Once, at the start.
    Upfront(Usd),
    /// The same at the end of every month.
    Monthly(UsdPerMonth),
    /// At the end of every month, in proportion to the requests; the amount of month 1.
    ByVolume(UsdPerMonth),
    /// At the end of every month, in proportion to the requests and to the cloud's price; the amount of month 1.
    ByVolumeAndPrice(UsdPerMonth),
    /// Once, at the horizon.
    AtHorizon(Usd),
}

/// An amount in dollars of their own day, and in dollars of today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Total {
    /// Sum of all payments.
    pub undiscounted: Usd,
    /// Present value of all payments at the hurdle rate.
    pub present: Usd,
}

impl std::ops::AddAssign for Total {
    fn add_assign(&mut self, other: Self) {
        self.undiscounted.0 += other.undiscounted.0;
        self.present.0 += other.present.0;
    }
}

/// Two sums of a few rounded products that differ by less than this share are the same sum: a few dozen roundings
/// of an f64, of 1.1e-16 each. A tie on paper must not become a saving of 5e-13 dollars.
const ROUNDING: f64 = 1e-14;

impl Total {
    fn of(amount: f64, weights: Weights) -> Self {
        Self { undiscounted: Usd(amount * weights.undiscounted), present: Usd(amount * weights.present) }
    }

    /// The difference to `other`: 0 where they differ by rounding alone.
    pub(crate) fn beyond(self, other: Self) -> Self {
        let apart =
            |a: f64, b: f64| if (a - b).abs() <= ROUNDING * a.abs().max(b.abs()) { 0.0 } else { a - b };
        Self {
            undiscounted: Usd(apart(self.undiscounted.0, other.undiscounted.0)),
            present: Usd(apart(self.present.0, other.present.0)),
        }
    }
}

/// How money of different months is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// As it is.
    Undiscounted,
    /// At present value.
    Present,
}

impl Basis {
    /// The total on this basis.
    pub fn of(self, total: Total) -> Usd {
        match self {
            Self::Undiscounted => total.undiscounted,
            Self::Present => total.present,
        }
    }
}

/// How often a flow's first amount counts.
#[derive(Clone, Copy, Debug)]
struct Weights {
    undiscounted: f64,
    present: f64,
}

const ONCE: Weights = Weights { undiscounted: 1.0, present: 1.0 };

/// How often each kind of flow counts by the end of a month. Logarithms and exponentials are libm's, so that a
/// page and a program get the same bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factors {
    monthly: Weights,
    by_volume: Weights,
    by_volume_and_price: Weights,
    at_horizon: Weights,
}

impl Factors {
    /// By the end of `month`; what is paid at the horizon counts from then on.
    pub(crate) fn at(s: &Scenario, month: Months) -> Self {
        Self::at_rate(s, f64::from(month.0), monthly_log_rate(s.finance.hurdle_rate.0))
    }

    /// The same at any point of time, with another rate: ln(1 + i), a month.
    pub(crate) fn at_rate(s: &Scenario, months: f64, rate: f64) -> Self {
        let growth = libm::log1p(s.demand.growth_per_month.0);
        let price = libm::log1p(-s.finance.price_decline_per_year.0) / 12.0;
        let weights = |change: f64| Weights {
            undiscounted: geometric(change, months),
            present: libm::exp(-rate) * geometric(change - rate, months),
        };
        let due = months >= f64::from(s.finance.horizon.0);
        let horizon = f64::from(u8::from(due));
        Self {
            monthly: weights(0.0),
            by_volume: weights(growth),
            by_volume_and_price: weights(growth + price),
            at_horizon: Weights {
                undiscounted: horizon,
                present: horizon * libm::exp(-rate * f64::from(s.finance.horizon.0)),
            },
        }
    }

    /// The same without what is paid at the horizon.
    pub(crate) fn without_residual(self) -> Self {
        Self { at_horizon: Weights { undiscounted: 0.0, present: 0.0 }, ..self }
    }

    pub(crate) fn total(&self, flow: Flow) -> Total {
        match flow {
            Flow::Upfront(Usd(a)) => Total::of(a, ONCE),
            Flow::Monthly(UsdPerMonth(a)) => Total::of(a, self.monthly),
            Flow::ByVolume(UsdPerMonth(a)) => Total::of(a, self.by_volume),
            Flow::ByVolumeAndPrice(UsdPerMonth(a)) => Total::of(a, self.by_volume_and_price),
            Flow::AtHorizon(Usd(a)) => Total::of(a, self.at_horizon),
        }
    }
}

/// ln(1 + i) of a yearly rate r: ln(1 + r) ÷ 12.
pub(crate) fn monthly_log_rate(per_year: f64) -> f64 {
    libm::log1p(per_year) / 12.0
}

/// Σ e^(x·j) for j = 0 … n − 1; n for x = 0, without the cancellation of (1 − kⁿ) ÷ (1 − k) near it.
pub(crate) fn geometric(x: f64, n: f64) -> f64 {
    if x == 0.0 { n } else { libm::expm1(n * x) / libm::expm1(x) }
}
