//! A shifted lognormal through samples, and how well it fits.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::lognormal::Lognormal;
use crate::units::Ms;

/// Samples that a fit needs.
pub const FEWEST: usize = 20;

/// The caveat to read beside [`Fitted::critical`].
pub const CAVEAT: &str = "The critical value holds for a distribution known beforehand; this one was fitted to the \
    same samples, which lowers the distance, so it is only indicative.";

/// Why samples have no fit.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SampleFitError {
    /// Too few.
    #[error("there are {count} samples; a fit needs {FEWEST}")]
    TooFew {
        /// How many.
        count: usize,
    },
    /// No time.
    #[error("sample {position} is {value} ms; it must be above 0")]
    NotATime {
        /// Which, from 1.
        position: usize,
        /// Its name.
        value: f64,
    },
    /// All alike.
    #[error("all samples are {value} ms; there is no spread to fit")]
    NoSpread {
        /// Their value.
        value: f64,
    },
}

/// A fit and its goodness.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// The distribution.
    pub time: Lognormal,
    /// Samples behind it.
    pub count: usize,
    /// Kolmogorov and Smirnov's distance: the greatest gap between the two cumulative shares, [0, 1].
    pub ks: f64,
    /// Distance that a distribution known beforehand exceeds in 5 % of samples: 1.358 / √n. See [`CAVEAT`].
    pub critical: f64,
}

impl Fitted {
    /// Whether the distance stays below the indicative critical value.
    pub fn plausible(&self) -> bool {
        self.ks < self.critical
    }
}

/// Fits by the shift that leaves the logarithms without skew; then μ and σ are their mean and deviation. Unlike
/// the likelihood, which grows without bound as the shift nears the least sample, that shift is unique.
///
/// # Errors
/// Too few samples, one that is no time, or no spread.
pub fn fit(samples: &[Ms]) -> Result<Fitted, SampleFitError> {
    let count = samples.len();
    if count < FEWEST {
        return Err(SampleFitError::TooFew { count });
    }
    if let Some(index) = samples.iter().position(|ms| !(ms.0 > 0.0 && ms.0.is_finite())) {
        return Err(SampleFitError::NotATime { position: index + 1, value: samples[index].0 });
    }
    let mut sorted: Vec<f64> = samples.iter().map(|ms| ms.0).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted[0] == sorted[count - 1] {
        return Err(SampleFitError::NoSpread { value: sorted[0] });
    }
    let floor = floor(&sorted);
    let Moments { mean, deviation, .. } = Moments::of_logarithms(&sorted, floor);
    let time = Lognormal { floor, mu: mean, sigma: deviation };
    let critical = 1.358 / libm::sqrt(count as f64);
    Ok(Fitted { time, count, ks: distance(&sorted, &time), critical })
}

/// Where the skew of ln(x − floor) vanishes; 0 if even without a floor it is not to the right. The skew falls as
/// the floor rises towards the least sample, whose logarithm then runs away to the left.
fn floor(sorted: &[f64]) -> f64 {
    let skew = |floor: f64| Moments::of_logarithms(sorted, floor).skew;
    let mut low = 0.0;
    let mut high = sorted[0] * (1.0 - 1e-9);
    if skew(low) <= 0.0 {
        return 0.0;
    }
    for _ in 0..50 {
        let middle = 0.5 * (low + high);
        if skew(middle) > 0.0 { low = middle } else { high = middle }
    }
    low
}

struct Moments {
    mean: f64,
    deviation: f64,
    skew: f64,
}

impl Moments {
    fn of_logarithms(times: &[f64], floor: f64) -> Self {
        let logarithms = || times.iter().map(|x| libm::log(x - floor));
        let count = times.len() as f64;
        let mean = logarithms().sum::<f64>() / count;
        let central = |power: i32| logarithms().map(|y| (y - mean).powi(power)).sum::<f64>() / count;
        let deviation = libm::sqrt(central(2));
        Self { mean, deviation, skew: central(3) / (deviation * deviation * deviation) }
    }
}

/// The greatest gap between the samples' share and the distribution's, on either side of each step.
pub fn distance(sorted: &[f64], time: &Lognormal) -> f64 {
    let count = sorted.len() as f64;
    let gaps = sorted.iter().enumerate().map(|(index, x)| {
        let below = time.share_below(*x);
        f64::max(below - index as f64 / count, (index + 1) as f64 / count - below)
    });
    gaps.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const TIME: Lognormal = Lognormal { floor: 168.3, mu: 3.576, sigma: 0.897 };

    fn drawn(count: usize, seed: u64) -> Vec<Ms> {
        let mut random = Random::new(seed, 0);
        (0..count).map(|_| Ms(TIME.draw(&mut random))).collect()
    }

    #[test]
    fn samples_of_a_shifted_lognormal_give_it_back() {
        let fitted = fit(&drawn(20_000, 1)).unwrap();
        assert!((fitted.time.floor - TIME.floor).abs() < 2.0, "{fitted:?}");
        assert!((fitted.time.sigma / TIME.sigma - 1.0).abs() < 0.04, "{fitted:?}");
        for p in [0.5, 0.9, 0.99] {
            let got = fitted.time.quantile(p).0;
            let want = TIME.quantile(p).0;
            assert!((got / want - 1.0).abs() < 0.03, "P{p}: {got}, not {want}");
        }
        assert!(fitted.plausible());
    }

    #[test]
    fn the_critical_value_at_150_samples_is_the_published_one() {
        assert!((fit(&drawn(150, 1)).unwrap().critical - 0.111).abs() < 5e-4);
    }

    /// The caveat, measured: a fair test would find 5 % of fitted samples implausible, this one fewer.
    #[test]
    fn fitted_parameters_make_the_critical_value_lenient() {
        let refused = (0..400).filter(|seed| !fit(&drawn(150, *seed)).unwrap().plausible()).count();
        println!("{refused} of 400 fits of true shifted lognormals lie above the critical value");
        assert!(refused <= 4, "{refused}");
    }

    #[test]
    fn two_clusters_fit_badly_and_say_so() {
        let times: Vec<Ms> =
            (0..200).map(|i| Ms(if i % 2 == 0 { 100.0 } else { 900.0 } + f64::from(i))).collect();
        let fitted = fit(&times).unwrap();
        assert!(!fitted.plausible() && fitted.ks > 0.15, "{fitted:?}");
    }

    /// By hand: shares of the distribution at its quartiles against steps of thirds.
    #[test]
    fn the_distance_is_the_greatest_gap() {
        let plain = Lognormal { floor: 0.0, mu: 0.0, sigma: 1.0 };
        let at = |p: f64| plain.quantile(p).0;
        assert!((distance(&[at(0.25), at(0.5), at(0.75)], &plain) - 0.25).abs() < 1e-9);
        assert!((distance(&[at(0.9)], &plain) - 0.9).abs() < 1e-9);
    }

    #[test]
    fn samples_without_a_fit_are_named() {
        assert_eq!(fit(&[Ms(1.0); 19]), Err(SampleFitError::TooFew { count: 19 }));
        assert_eq!(fit(&[Ms(5.0); 30]), Err(SampleFitError::NoSpread { value: 5.0 }));
        let mut times = vec![Ms(5.0); 30];
        times[7] = Ms(-1.0);
        assert_eq!(fit(&times), Err(SampleFitError::NotATime { position: 8, value: -1.0 }));
    }
}
