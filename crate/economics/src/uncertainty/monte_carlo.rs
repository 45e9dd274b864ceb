//! Many trials of one scenario: how often each deployment is the cheapest, and what each costs in good and bad cases.

use serde::Serialize;

use super::sampler::Sampler;
use super::uncertain::Uncertain;
use crate::bill::{Basis, totals};
use crate::deployment::Deployment;
use crate::input::Scenario;
use crate::units::{Share, Usd};

/// Trials beyond this are not run: 40 MB of totals, and probabilities within 0.15 points.
pub const MOST_TRIALS: u32 = 1_000_000;

/// The trials to run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Which random numbers.
    pub seed: u64,
    /// How many trials, up to [`MOST_TRIALS`]; of bands, up to [`super::MOST_BAND_TRIALS`].
    pub trials: u32,
    /// Which dollars are compared.
    pub basis: Basis,
    /// Which deployments may be the cheapest, in the order of [`Deployment::ALL`]: those that pass the gates.
    pub considered: [bool; 5],
}

/// A run in slices: as many trials as a frame has time for, then some more. The slices do not change the result.
pub struct MonteCarlo {
    plan: Plan,
    sampler: Sampler,
    /// Of each deployment, trial by trial.
    totals: [Vec<f64>; 5],
    cheapest: [u32; 5],
    under_cloud: [u32; 5],
}

/// Shares of the trials so far, by deployment in the order of [`Deployment::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Probabilities {
    /// Trials so far.
    pub trials: u32,
    /// How often each costs least of those considered; a tie goes to the first. All 0 where none is considered.
    pub cheapest: [Share; 5],
    /// How often each costs strictly less than the cloud.
    pub cheaper_than_cloud: [Share; 5],
}

/// Low, middle and high.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Quantiles {
    /// One trial in ten is below.
    pub p10: Usd,
    /// Half of the trials are below.
    pub p50: Usd,
    /// One trial in ten is above.
    pub p90: Usd,
}

/// Results of the trials so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How often each is the cheapest.
    #[serde(rename = "odds")]
    pub probabilities: Probabilities,
    /// Cost of each deployment over the horizon.
    pub total: [Quantiles; 5],
    /// Saving of each beside the cloud; 0 for the cloud itself.
    pub saving: [Quantiles; 5],
}

impl MonteCarlo {
    /// Allocates for all trials: 40 bytes each. Inputs are not checked; see [`Scenario::validate`].
    pub fn new(scenario: &Scenario, uncertain: &[Uncertain], plan: Plan) -> Self {
        let plan = Plan { trials: plan.trials.min(MOST_TRIALS), ..plan };
        Self {
            plan,
            sampler: Sampler::new(scenario, uncertain, plan.seed),
            totals: Deployment::ALL.map(|_| Vec::with_capacity(plan.trials as usize)),
            cheapest: [0; 5],
            under_cloud: [0; 5],
        }
    }

    /// Up to `more` trials more; returns how many are left. Nothing is allocated.
    pub fn run(&mut self, more: u32) -> u32 {
        for _ in 0..more.min(self.left()) {
            let costs = totals(&self.sampler.draw()).map(|total| self.plan.basis.of(total).0);
            let mut best = None;
            for (i, cost) in costs.into_iter().enumerate() {
                self.totals[i].push(cost);
                self.under_cloud[i] += u32::from(cost < costs[Deployment::Cloud as usize]);
                if self.plan.considered[i] && best.is_none_or(|b: usize| cost < costs[b]) {
                    best = Some(i);
                }
            }
            if let Some(best) = best {
                self.cheapest[best] += 1;
            }
        }
        self.left()
    }

    fn done(&self) -> u32 {
        self.totals[0].len() as u32
    }

    fn left(&self) -> u32 {
        self.plan.trials - self.done()
    }

    /// The shares so far, at no cost; `None` before the first trial.
    pub fn probabilities(&self) -> Option<Probabilities> {
        let trials = self.done();
        let share = |count: u32| Share(f64::from(count) / f64::from(trials));
        (trials > 0).then(|| Probabilities {
            trials,
            cheapest: self.cheapest.map(share),
            cheaper_than_cloud: self.under_cloud.map(share),
        })
    }

    /// Everything so far; `None` before the first trial. Sorts nine lists of all trials in part: some milliseconds
    /// for 100,000.
    pub fn summary(&self) -> Option<Summary> {
        let probabilities = self.probabilities()?;
        let cloud = &self.totals[Deployment::Cloud as usize];
        let mut scratch = Vec::with_capacity(cloud.len());
        let mut of = |values: &mut dyn Iterator<Item = f64>| {
            scratch.clear();
            scratch.extend(values);
            quantiles(&mut scratch)
        };
        let total = [0, 1, 2, 3, 4].map(|i| of(&mut self.totals[i].iter().copied()));
        let saving = [0, 1, 2, 3, 4].map(|i| of(&mut cloud.iter().zip(&self.totals[i]).map(|(c, d)| c - d)));
        Some(Summary { probabilities, total, saving })
    }
}

impl Probabilities {
    /// Three standard errors of a share of these trials: 3 √(p (1 − p) ÷ n).
    pub fn margin(&self, share: Share) -> Share {
        Share(3.0 * (share.0 * (1.0 - share.0) / f64::from(self.trials)).sqrt())
    }
}

/// By nearest rank: the smallest value that at least that share of the values do not exceed. Reorders them.
pub(super) fn quantiles(values: &mut [f64]) -> Quantiles {
    let rank = |share: usize| (values.len() * share).div_ceil(10).max(1) - 1;
    let low = rank(1);
    let middle = rank(5);
    let high = rank(9);
    if values.is_empty() {
        return Quantiles::default();
    }
    let (below, p50, above) = values.select_nth_unstable_by(middle, f64::total_cmp);
    // Few enough values that two of the ranks are the same.
    let p10 = if low < middle { *below.select_nth_unstable_by(low, f64::total_cmp).1 } else { *p50 };
    let p90 =
        if high > middle { *above.select_nth_unstable_by(high - middle - 1, f64::total_cmp).1 } else { *p50 };
    Quantiles { p10: Usd(p10), p50: Usd(*p50), p90: Usd(p90) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_by_nearest_rank() {
        let of = |values: &mut [f64]| {
            let q = quantiles(values);
            [q.p10.0, q.p50.0, q.p90.0]
        };
        let mut hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(of(&mut hundred), [10.0, 50.0, 90.0]);
        assert_eq!(of(&mut [3.0, 1.0, 2.0]), [1.0, 2.0, 3.0]);
        assert_eq!(of(&mut [5.0, 4.0]), [4.0, 4.0, 5.0]);
        assert_eq!(of(&mut [7.0]), [7.0; 3]);
    }
}
