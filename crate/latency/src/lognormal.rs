//! The shifted lognormal distribution, and its closed-form fits to the percentiles that people publish.

use figures::normal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::random::Random;
use crate::units::Ms;

/// Why percentiles do not describe a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum FitError {
    /// The median is not a positive time.
    #[error("P50 is {0} ms; it must be above 0")]
    Median(f64),
    /// Percentiles do not rise.
    #[error("P50 {p50}, P90 {p90}, P99 {p99} ms must rise from one to the next")]
    Order {
        /// Median.
        p50: f64,
        /// 90th percentile; equal to `p50` where none was given.
        p90: f64,
        /// 99th percentile.
        p99: f64,
    },
    /// P90 lies too low for a lognormal tail up to P99 with any floor above zero.
    #[error(
        "P90 {p90} ms lies too high between P50 {p50} and P99 {p99} for a floor above 0 ms; leave P90 out"
    )]
    NoFloor {
        /// Median.
        p50: f64,
        /// 90th percentile.
        p90: f64,
        /// 99th percentile.
        p99: f64,
    },
}

/// `floor + e^(mu + sigma · z)`: a time that cannot be less than its floor, with a long tail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lognormal {
    /// Least value, ms; 0 for a plain lognormal.
    pub floor: f64,
    /// ln of the median above the floor.
    pub mu: f64,
    /// Spread of the logarithm.
    pub sigma: f64,
}

impl Lognormal {
    /// From the median and P99, above a known floor: μ = ln(P50 − s), σ = ln((P99 − s) / (P50 − s)) / z₉₉.
    ///
    /// # Errors
    /// P50 is not above the floor, or P99 not above P50.
    pub fn from_p50_p99(p50: Ms, p99: Ms, floor: Ms) -> Result<Self, FitError> {
        let above50 = p50.0 - floor.0;
        let above99 = p99.0 - floor.0;
        if !(above50 > 0.0 && floor.0 >= 0.0) {
            return Err(FitError::Median(above50));
        }
        if !(above99 > above50 && above99.is_finite()) {
            return Err(FitError::Order { p50: p50.0, p90: p50.0, p99: p99.0 });
        }
        let sigma = libm::log(above99 / above50) / normal::quantile(0.99);
        Ok(Self { floor: floor.0, mu: libm::log(above50), sigma })
    }

    /// From three percentiles; the floor s solves
    /// ln((P99 − s) / (P50 − s)) · z₉₀ = ln((P90 − s) / (P50 − s)) · z₉₉.
    ///
    /// # Errors
    /// The percentiles do not rise, or no floor from 0 up to P50 solves it.
    pub fn from_p50_p90_p99(p50: Ms, p90: Ms, p99: Ms) -> Result<Self, FitError> {
        let a = p50.0;
        let b = p90.0;
        let c = p99.0;
        if !(a > 0.0 && a.is_finite()) {
            return Err(FitError::Median(a));
        }
        if !(a < b && b < c && c.is_finite()) {
            return Err(FitError::Order { p50: a, p90: b, p99: c });
        }
        let z90 = normal::quantile(0.9);
        let z99 = normal::quantile(0.99);
        let miss = |s: f64| libm::log((c - s) / (a - s)) * z90 - libm::log((b - s) / (a - s)) * z99;
        // `miss` falls as the floor rises: one sign change at most, found by halving.
        let mut low = 0.0;
        let mut high = a * (1.0 - 1e-12);
        if miss(low) < 0.0 || miss(high) > 0.0 {
            return Err(FitError::NoFloor { p50: a, p90: b, p99: c });
        }
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if miss(middle) > 0.0 { low = middle } else { high = middle }
        }
        Self::from_p50_p99(p50, p99, Ms(0.5 * (low + high)))
    }

    /// The value below which a share `p` lies, 0 < p < 1.
    pub fn quantile(&self, p: f64) -> Ms {
        Ms(self.floor + libm::exp(self.mu + self.sigma * normal::quantile(p)))
    }

    /// The quantile without its last correction, ms: 1e-9 off and half the work.
    pub(crate) fn at(&self, p: f64) -> f64 {
        self.floor + libm::exp(self.mu + self.sigma * normal::approximate(p))
    }

    /// A random time, ms, from one uniform number.
    pub(crate) fn draw(&self, random: &mut Random) -> f64 {
        self.at(random.uniform())
    }

    /// Share of times below `x` ms.
    pub fn share_below(&self, x: f64) -> f64 {
        if x <= self.floor {
            0.0
        } else {
            normal::share_below((libm::log(x - self.floor) - self.mu) / self.sigma)
        }
    }

    /// Mean: floor + median above it · e^(σ²/2).
    pub fn mean(&self) -> Ms {
        Ms(self.floor + libm::exp(self.mu + 0.5 * self.sigma * self.sigma))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, want: f64, within: f64) {
        assert!((got - want).abs() <= within, "{got} is not {want}");
    }

    #[test]
    fn two_percentiles_pin_the_lognormal() {
        for (p50, p99, floor, sigma, mean, p90, p999) in [
            (80.0, 400.0, 0.0, 0.691_830, 101.63, 194.15, 678.54),
            (250.0, 1200.0, 0.0, 0.674_283, 313.81, 593.23, 2008.5),
            (150.0, 800.0, 0.0, 0.719_573, 194.32, 377.21, 1386.1),
            (150.0, 800.0, 40.0, 0.830_847, 195.34, 359.02, 1473.7),
        ] {
            let fit = Lognormal::from_p50_p99(Ms(p50), Ms(p99), Ms(floor)).unwrap();
            near(fit.sigma, sigma, 5e-7);
            near(fit.mean().0, mean, 0.005);
            near(fit.quantile(0.9).0, p90, 0.005);
            near(fit.quantile(0.999).0, p999, 0.05);
            near(fit.quantile(0.5).0, p50, 1e-9);
        }
    }

    #[test]
    fn three_percentiles_find_the_floor() {
        let fit = Lognormal::from_p50_p90_p99(Ms(204.0), Ms(281.0), Ms(456.0)).unwrap();
        near(fit.floor, 168.30, 0.005);
        near(fit.sigma, 0.896_998, 5e-7);
        near(fit.quantile(0.9).0, 281.0, 1e-6);
    }

    #[test]
    fn percentiles_that_describe_nothing_are_refused() {
        assert_eq!(Lognormal::from_p50_p99(Ms(0.0), Ms(1.0), Ms(0.0)), Err(FitError::Median(0.0)));
        assert!(matches!(Lognormal::from_p50_p99(Ms(10.0), Ms(10.0), Ms(0.0)), Err(FitError::Order { .. })));
        // Groq's published percentiles: P90 so high that the floor would have to be negative.
        assert!(matches!(
            Lognormal::from_p50_p90_p99(Ms(222.0), Ms(299.0), Ms(350.0)),
            Err(FitError::NoFloor { .. })
        ));
        assert!(Lognormal::from_p50_p90_p99(Ms(1.0), Ms(f64::NAN), Ms(3.0)).is_err());
    }
}
