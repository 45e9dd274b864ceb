//! How sure the cost section's answer is: Monte Carlo in slices between frames, and P10 to P90 along the curves.

use economics::uncertainty::{
    BAND_TRIALS, Band, Bands, InputSwitching, MonteCarlo, Plan, Summary, Uncertain, switching_values,
};
use economics::{Basis, Deployment, FIELDS, Scenario};
use leptos::prelude::*;

use crate::cost::model::drawings::Axes;
use crate::shared::clock::{next_frame, now};

/// Trials of a run.
pub(crate) const TRIALS: u32 = 100_000;

/// Most of a frame that a slice takes, ms: what is left is the page's.
const SLICE_MS: f64 = 4.0;

/// Trials between two looks at the clock.
const STEP: u32 = 100;

/// Share of the progress that is the trials'; the rest is the curves'.
const TRIALS_SHARE: f64 = 0.875;

/// How long the entries must rest before a run begins, ms: a slider that moves would begin one a frame.
const REST_MS: f64 = 150.0;

/// The run under way, and what the last one brought.
#[derive(Clone, Copy)]
pub(crate) struct Trials {
    /// Which random numbers, as typed.
    pub(crate) seed: RwSignal<String>,
    /// How much of the run is done, 0 to 1; `None` when none is under way.
    pub(crate) progress: RwSignal<Option<f64>>,
    /// Whether the visitor stopped it; no run begins until they ask for one.
    pub(crate) stopped: RwSignal<bool>,
    /// Summary of the trials, and the time they took to compute, ms.
    pub(crate) summary: RwSignal<Option<(Summary, f64)>>,
    /// By month.
    pub(crate) by_month: RwSignal<Vec<Band>>,
    /// By volume.
    pub(crate) by_volume: RwSignal<Vec<Band>>,
    /// Switching values: each input's values at which the answer changes, of which scenario and deployment; `None` while it is
    /// looked for.
    pub(crate) switching: RwSignal<Option<(Scenario, Deployment, Vec<InputSwitching>)>>,
    /// Number of the newest run; an older one ends at its next slice.
    newest: StoredValue<u32>,
    newest_search: StoredValue<u32>,
}

impl Trials {
    pub(crate) fn new() -> Self {
        Self {
            seed: RwSignal::new("1".to_owned()),
            progress: RwSignal::new(None),
            stopped: RwSignal::new(false),
            summary: RwSignal::new(None),
            by_month: RwSignal::default(),
            by_volume: RwSignal::default(),
            switching: RwSignal::new(None),
            newest: StoredValue::new(0),
            newest_search: StoredValue::new(0),
        }
    }

    /// The seed; `None` for what is not a whole number.
    pub(crate) fn seed(&self) -> Option<u64> {
        self.seed.with(|text| text.trim().parse().ok())
    }

    /// Ends the run under way.
    pub(crate) fn stop(&self) {
        self.supersede();
        self.stopped.set(true);
        self.progress.set(None);
    }

    fn supersede(&self) -> u32 {
        self.newest.update_value(|newest| *newest = newest.wrapping_add(1));
        self.newest.get_value()
    }

    /// Begins a run, in place of any other; it ends by itself.
    pub(crate) fn begin(&self, scenario: Scenario, uncertain: Vec<Uncertain>, plan: Plan) {
        let trials = *self;
        let number = self.supersede();
        trials.progress.set(Some(0.0));
        leptos::task::spawn_local(async move {
            let rests_until = now() + REST_MS;
            while trials.current(number) && now() < rests_until {
                next_frame().await;
            }
            trials.sample(number, &scenario, &uncertain, plan).await;
            trials.curves(number, &scenario, &uncertain, plan).await;
            if trials.current(number) {
                trials.progress.set(None);
            }
        });
    }

    fn current(&self, number: u32) -> bool {
        self.newest.get_value() == number
    }

    async fn sample(&self, number: u32, scenario: &Scenario, uncertain: &[Uncertain], plan: Plan) {
        if !self.current(number) {
            return;
        }
        let mut run = MonteCarlo::new(scenario, uncertain, plan);
        let mut took = 0.0;
        let mut left = plan.trials;
        while left > 0 && self.current(number) {
            left = slice(&mut took, |step| run.run(step));
            let done = 1.0 - f64::from(left) / f64::from(plan.trials.max(1));
            self.progress.set(Some(TRIALS_SHARE * done));
            next_frame().await;
        }
        if self.current(number) {
            self.summary.set(run.summary().map(|summary| (summary, took)));
        }
    }

    async fn curves(&self, number: u32, scenario: &Scenario, uncertain: &[Uncertain], plan: Plan) {
        if !self.current(number) {
            return;
        }
        let fewer = Plan { trials: BAND_TRIALS.min(plan.trials), ..plan };
        let axes = Axes::of(scenario);
        let months = Bands::by_month(scenario, uncertain, fewer, &axes.months);
        let volumes = Bands::by_volume(scenario, uncertain, fewer, &axes.volumes);
        for (mut bands, into) in [(months, self.by_month), (volumes, self.by_volume)] {
            while self.current(number) && slice(&mut 0.0, |_| bands.run(1)) > 0 {
                next_frame().await;
            }
            if self.current(number) {
                into.set(bands.bands());
            }
        }
    }

    /// Finds the values of each input at which the cheaper of cloud and `focus` changes, a few milliseconds a frame.
    pub(crate) fn find_switching_values(&self, scenario: Scenario, focus: Deployment) {
        let trials = *self;
        trials.newest_search.update_value(|newest| *newest = newest.wrapping_add(1));
        let number = trials.newest_search.get_value();
        trials.switching.set(None);
        leptos::task::spawn_local(async move {
            let mut found = Vec::new();
            for field in FIELDS.iter().filter(|field| (field.relevant)(&scenario)) {
                next_frame().await;
                if trials.newest_search.get_value() != number {
                    return;
                }
                let switching =
                    switching_values(&scenario, field, [Deployment::Cloud, focus], Basis::Present);
                found.push(InputSwitching { field, switching });
            }
            trials.switching.set(Some((scenario, focus, found)));
        });
    }
}

/// Runs for the slice's time; returns how much is left, and adds the time to `took`.
fn slice(took: &mut f64, mut run: impl FnMut(u32) -> u32) -> u32 {
    let begun = now();
    let mut left = run(STEP);
    while left > 0 && now() - begun < SLICE_MS {
        left = run(STEP);
    }
    *took += now() - begun;
    left
}
