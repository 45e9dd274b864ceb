//! P10 to P90 along a curve: what a deployment has cost by each month, and what it costs at each volume.

use serde::Serialize;

use super::monte_carlo::{Plan, Quantiles, quantiles};
use super::sampler::Sampler;
use super::uncertain::Uncertain;
use crate::bill::{totals, totals_at};
use crate::input::Scenario;
use crate::units::{Months, RequestsPerMonth};

/// Trials that suffice for a band on a chart. Every point costs as much as a trial of the whole, so a band takes
/// the first thousand of the trials: its P10 is then the true P8 to P12 with two standard errors.
pub const BAND_TRIALS: u32 = 1000;

/// Trials beyond this are not run: at a hundred points already 40 MB.
pub const MOST_BAND_TRIALS: u32 = 10_000;

/// The axis that the trials are drawn along.
enum Axis {
    Months(Vec<Months>),
    Volumes(Vec<RequestsPerMonth>),
}

/// A run in slices, as [`super::MonteCarlo`]: the same seed draws the same trials.
pub struct Bands {
    plan: Plan,
    sampler: Sampler,
    horizon: Months,
    axis: Axis,
    done: u32,
    /// By point, then deployment, then trial.
    values: Vec<[Vec<f64>; 5]>,
}

/// One point of the axis.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Band {
    /// A month, or a volume in requests a month.
    pub at: f64,
    /// By deployment, in the order of [`crate::Deployment::ALL`].
    pub cost: [Quantiles; 5],
}

impl Bands {
    /// Cost of each by the end of each month; 0 is the start. The horizon is the scenario's, even where it is
    /// uncertain.
    pub fn by_month(scenario: &Scenario, uncertain: &[Uncertain], plan: Plan, months: &[Months]) -> Self {
        Self::new(scenario, uncertain, plan, Axis::Months(months.to_vec()))
    }

    /// Cost of each over the horizon at each volume, in place of the scenario's own.
    pub fn by_volume(
        scenario: &Scenario,
        uncertain: &[Uncertain],
        plan: Plan,
        volumes: &[RequestsPerMonth],
    ) -> Self {
        Self::new(scenario, uncertain, plan, Axis::Volumes(volumes.to_vec()))
    }

    fn new(scenario: &Scenario, uncertain: &[Uncertain], plan: Plan, axis: Axis) -> Self {
        let points = match &axis {
            Axis::Months(months) => months.len(),
            Axis::Volumes(volumes) => volumes.len(),
        };
        let plan = Plan { trials: plan.trials.min(MOST_BAND_TRIALS), ..plan };
        let room = || Vec::with_capacity(plan.trials as usize);
        Self {
            plan,
            sampler: Sampler::new(scenario, uncertain, plan.seed),
            horizon: scenario.finance.horizon,
            axis,
            done: 0,
            values: (0..points).map(|_| [(); 5].map(|()| room())).collect(),
        }
    }

    /// Up to `more` trials more, each at every point; returns how many are left.
    pub fn run(&mut self, more: u32) -> u32 {
        let basis = self.plan.basis;
        for _ in 0..more.min(self.plan.trials - self.done) {
            let mut drawn = self.sampler.draw();
            drawn.finance.horizon = self.horizon;
            for (point, values) in self.values.iter_mut().enumerate() {
                let costs = match &self.axis {
                    Axis::Months(months) => totals_at(&drawn, months[point]),
                    Axis::Volumes(volumes) => totals(&drawn.at_volume(volumes[point])),
                };
                for (values, cost) in values.iter_mut().zip(costs) {
                    values.push(basis.of(cost).0);
                }
            }
            self.done += 1;
        }
        self.plan.trials - self.done
    }

    /// The bands of the trials so far; empty before the first.
    pub fn bands(&self) -> Vec<Band> {
        if self.done == 0 {
            return Vec::new();
        }
        let at = |point: usize| match &self.axis {
            Axis::Months(months) => f64::from(months[point].0),
            Axis::Volumes(volumes) => volumes[point].0,
        };
        let band = |(point, values): (usize, &[Vec<f64>; 5])| Band {
            at: at(point),
            cost: values.each_ref().map(|values| quantiles(&mut values.clone())),
        };
        self.values.iter().enumerate().map(band).collect()
    }
}
