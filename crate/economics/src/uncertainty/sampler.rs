//! One trial after another: every input drawn once into one scenario, so that what two deployments share is the same
//! for both. Volume drives the fleet and the cloud's bill alike.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

use super::distribution::{Distribution, Shape};
use super::uncertain::Uncertain;
use crate::input::{Field, Scenario};

/// Scenarios around a base.
pub(super) struct Sampler {
    base: Scenario,
    inputs: Vec<Input>,
}

struct Input {
    field: &'static Field,
    distribution: Distribution,
    random: Pcg64,
}

impl Sampler {
    /// Inputs that are fixed, or without effect in `base`, stay as they are there.
    pub(super) fn new(base: &Scenario, uncertain: &[Uncertain], seed: u64) -> Self {
        let drawn = uncertain.iter().filter(|u| u.shape != Shape::Fixed && (u.field.relevant)(base));
        let input = |u: &Uncertain| Input {
            field: u.field,
            distribution: u.distribution(),
            // A stream of its own, named by the key: another input more, or its range, changes no other's draws, so
            // that two scenarios of one seed differ by their inputs and not by their luck.
            random: Pcg64::new(seed.into(), stream(u.field.key).into()),
        };
        Self { base: *base, inputs: drawn.map(input).collect() }
    }

    /// The next trial.
    pub(super) fn draw(&mut self) -> Scenario {
        let mut scenario = self.base;
        for Input { field, distribution, random } in &mut self.inputs {
            // Only a lognormal can leave what the field may be.
            let value = distribution.quantile(uniform(random)).clamp(field.min, field.max);
            (field.set)(&mut scenario, value);
        }
        scenario
    }
}

/// Uniform in the open interval (0, 1): 52 random bits, half a step away from either end, which 53 bits could not
/// hold.
fn uniform(random: &mut Pcg64) -> f64 {
    ((random.next_u64() >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
}

/// FNV-1a, 64 bits: a number that stays with the key whatever is added to the list of inputs.
fn stream(key: &str) -> u64 {
    key.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::FIELDS;

    /// A correlation of independent streams of this length is below 4 ÷ √n in all but one of 15,000 pairs.
    const DRAWS: usize = 4096;

    #[test]
    fn streams_of_different_inputs_are_independent() {
        let drawn: Vec<Vec<f64>> = FIELDS
            .iter()
            .map(|field| {
                let mut random = Pcg64::new(7, stream(field.key).into());
                (0..DRAWS).map(|_| uniform(&mut random) - 0.5).collect()
            })
            .collect();
        for (i, a) in drawn.iter().enumerate() {
            for b in &drawn[..i] {
                let correlation = 12.0 * a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() / DRAWS as f64;
                assert!(correlation.abs() < 5.0 / (DRAWS as f64).sqrt(), "{correlation}");
            }
        }
    }

    #[test]
    fn an_input_more_changes_no_other_draw() {
        let of = |key| {
            let field = Field::of(key).unwrap();
            let value = (field.get)(&Scenario::default());
            Uncertain::new(field, (0.5 * value, value, 2.0 * value), Shape::Pert).unwrap()
        };
        let volume = of("demand.requests_per_month");
        let price = of("cloud.usd_per_request");
        let base = Scenario::default();
        let mut one = Sampler::new(&base, &[volume], 3);
        let mut two = Sampler::new(&base, &[price, volume], 3);
        for _ in 0..100 {
            let a = one.draw();
            let b = two.draw();
            assert_eq!(a.demand, b.demand);
            assert_ne!(a.cloud, b.cloud);
        }
    }
}
