//! Distributions by their inverse, so that one uniform number makes one draw.

use figures::Inverse;
use figures::normal::Z90;
use serde::{Deserialize, Serialize};

/// How likely the values of a range are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// The value itself, always: a decision, not an uncertainty.
    Fixed,
    /// Rising in a line to the value, and falling in a line from it.
    Triangular,
    /// A beta distribution with four parts of the value to one of each end: smoother than a triangle, and with less
    /// in its ends.
    Pert,
    /// The logarithm is normal; the ends are P10 and P90. For what is uncertain by a factor.
    Lognormal,
}

/// The inverse of a distribution function, which turns one uniform number into one draw.
pub struct Distribution(Form);

enum Form {
    Fixed(f64),
    Triangular { low: f64, mode: f64, high: f64 },
    Pert { low: f64, width: f64, standard: Inverse },
    Lognormal { mean: f64, deviation: f64, standard: Inverse },
}

/// A uniform number of 53 bits reaches no further than this many standard deviations.
const NORMAL_REACH: f64 = 8.3;

/// α = 1 + 4 (m − a) ÷ (b − a) and β = 1 + 4 (b − m) ÷ (b − a) of a PERT distribution from a over m to b
/// (riskamp.com/beta-pert); a < b.
pub fn pert_parameters(low: f64, mode: f64, high: f64) -> (f64, f64) {
    let width = high - low;
    (1.0 + 4.0 * (mode - low) / width, 1.0 + 4.0 * (high - mode) / width)
}

impl Distribution {
    /// low ≤ value ≤ high; 0 < low for a lognormal. Without a width between them every shape is fixed.
    pub(crate) fn of(shape: Shape, low: f64, value: f64, high: f64) -> Self {
        let shape = if low < high { shape } else { Shape::Fixed };
        Self(match shape {
            Shape::Fixed => Form::Fixed(value),
            Shape::Triangular => Form::Triangular { low, mode: value, high },
            Shape::Pert => {
                let (a, b) = pert_parameters(low, value, high);
                // libm: pow(0, 0) is 1, as the density of a = 1 wants at its end.
                let density = |x: f64| libm::pow(x, a - 1.0) * libm::pow(1.0 - x, b - 1.0);
                Form::Pert { low, width: high - low, standard: Inverse::of_density(0.0, 1.0, density) }
            }
            Shape::Lognormal => {
                let low = libm::log(low);
                let high = libm::log(high);
                let density = |z: f64| libm::exp(-0.5 * z * z);
                Form::Lognormal {
                    mean: 0.5 * (low + high),
                    deviation: (high - low) / (2.0 * Z90),
                    standard: Inverse::of_density(-NORMAL_REACH, NORMAL_REACH, density),
                }
            }
        })
    }

    /// The value that is not exceeded with probability `u`, 0 < u < 1.
    pub fn quantile(&self, u: f64) -> f64 {
        match &self.0 {
            Form::Fixed(value) => *value,
            Form::Triangular { low, mode, high } => {
                let width = high - low;
                if u * width < mode - low {
                    low + (u * width * (mode - low)).sqrt()
                } else {
                    high - ((1.0 - u) * width * (high - mode)).sqrt()
                }
            }
            Form::Pert { low, width, standard } => low + width * standard.quantile(u),
            Form::Lognormal { mean, deviation, standard } => {
                libm::exp(mean + deviation * standard.quantile(u))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Beta, ContinuousCDF, Normal};

    use super::*;

    #[test]
    fn triangular_quantiles() {
        let price = Distribution::of(Shape::Triangular, 0.0005, 0.000_75, 0.001);
        assert!((price.quantile(0.1) - 0.000_611_803).abs() < 5e-10);
        assert!((price.quantile(0.9) - 0.000_888_197).abs() < 5e-10);
        assert!((price.quantile(0.5) - 0.000_75).abs() < 1e-15);
    }

    #[test]
    fn pert_parameters_and_mean() {
        let (a, b) = pert_parameters(8e3, 24e3, 60e3);
        assert!((a - 2.230_77).abs() < 5e-6 && (b - 3.769_23).abs() < 5e-6, "{a} {b}");
        let cost = Distribution::of(Shape::Pert, 8e3, 24e3, 60e3);
        const N: u32 = 100_000;
        let mean =
            (0..N).map(|i| cost.quantile((f64::from(i) + 0.5) / f64::from(N))).sum::<f64>() / f64::from(N);
        assert!((mean - 27_333.33).abs() < 0.05, "{mean}");
        assert!((mean - (8e3 + 4.0 * 24e3 + 60e3) / 6.0).abs() < 0.05);
    }

    /// Probabilities from far below to far above.
    fn probabilities() -> impl Iterator<Item = f64> {
        let middle = (1..1000).map(|i| f64::from(i) / 1000.0);
        let ends = (4..40).map(|k| 0.5_f64.powi(k));
        middle.chain(ends.clone()).chain(ends.map(|p| 1.0 - p))
    }

    #[test]
    fn pert_quantiles_are_those_of_a_beta_distribution() {
        let mut worst: f64 = 0.0;
        for mode in [0.0, 0.01, 0.1, 0.307_692, 0.5, 0.9, 1.0] {
            let (a, b) = pert_parameters(0.0, mode, 1.0);
            let ours = Distribution::of(Shape::Pert, 0.0, mode, 1.0);
            let library = Beta::new(a, b).unwrap();
            for u in probabilities() {
                // By the distribution function, which the library has more exactly than its inverse.
                let x = ours.quantile(u);
                assert!((0.0..=1.0).contains(&x));
                worst = worst.max((library.cdf(x) - u).abs());
            }
        }
        assert!(worst < 1.1e-5, "{worst}");
    }

    #[test]
    fn lognormal_goes_through_its_percentiles_and_is_normal_between() {
        let d = Distribution::of(Shape::Lognormal, 2.0, 3.0, 32.0);
        for (u, want) in [(0.1, 2.0), (0.5, 8.0), (0.9, 32.0)] {
            assert!((d.quantile(u) / want - 1.0).abs() < 2e-6, "{u}: {}", d.quantile(u));
        }
        let normal = Normal::new(0.0, 1.0).unwrap();
        let sigma = 4.0_f64.ln() / Z90;
        for u in probabilities().filter(|u| (3.2e-5..=1.0 - 3.2e-5).contains(u)) {
            let z = (d.quantile(u) / 8.0).ln() / sigma;
            assert!((z - normal.inverse_cdf(u)).abs() < 2e-5, "{u}: {z}");
        }
    }

    #[test]
    fn quantiles_rise_and_a_range_without_width_is_its_value() {
        for shape in [Shape::Fixed, Shape::Triangular, Shape::Pert, Shape::Lognormal] {
            let d = Distribution::of(shape, 1.0, 1.5, 9.0);
            let drawn: Vec<f64> = (0..=4096).map(|i| d.quantile((f64::from(i) + 0.5) / 4097.0)).collect();
            assert!(drawn.windows(2).all(|pair| pair[0] <= pair[1]), "{shape:?}");
            assert_eq!(Distribution::of(shape, 4.0, 4.0, 4.0).quantile(0.3), 4.0);
        }
    }
}
