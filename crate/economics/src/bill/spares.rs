//! Devices that fail, and the spares that must lie ready.

use figures::normal;

use crate::input::Scenario;
use crate::units::{Devices, Share};

/// Devices expected to fail over the horizon: devices · failures a year · years.
pub fn expected_failures(s: &Scenario, devices: Devices) -> f64 {
    devices.0 * s.edge.failures_per_year.0 * f64::from(s.finance.horizon.0) / 12.0
}

/// Share of devices that fail at least once: 1 − (1 − failures a year) ^ years.
pub fn share_failing(s: &Scenario) -> Share {
    let years = f64::from(s.finance.horizon.0) / 12.0;
    Share(-libm::expm1(years * libm::log1p(-s.edge.failures_per_year.0)))
}

/// Spares that suffice with the wanted probability: the Poisson quantile of the expected failures.
pub fn spares(s: &Scenario, devices: Devices) -> Devices {
    Devices(poisson_quantile(expected_failures(s, devices), s.edge.spares_confidence.0))
}

/// Above this mean a Poisson variable is taken as normal: its quantile is then within one of the exact one for
/// the probabilities allowed, and the sum below would be slow.
const NORMAL_FROM: f64 = 500.0;

/// Smallest k with P(X ≤ k) ≥ p for a Poisson variable X.
fn poisson_quantile(mean: f64, p: f64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    if mean > NORMAL_FROM {
        let z = normal::quantile(p);
        // Cornish–Fisher: the second term is the skewness of a Poisson variable.
        return (mean + z * mean.sqrt() + (z * z - 1.0) / 6.0 - 0.5).ceil().max(0.0);
    }
    let mut k = 0.0;
    let mut term = libm::exp(-mean);
    let mut sum = term;
    while sum < p {
        k += 1.0;
        term *= mean / k;
        sum += term;
        if k > 10.0 * NORMAL_FROM {
            break;
        }
    }
    k
}

/// P(X ≤ k) of a Poisson variable.
pub fn poisson_cdf(mean: f64, k: u32) -> f64 {
    let mut term = libm::exp(-mean);
    let mut sum = term;
    for i in 1..=k {
        term *= mean / f64::from(i);
        sum += term;
    }
    sum
}
