//! Ten thousand requests to the simulated cloud, a few milliseconds a frame.

use std::sync::Arc;

use leptos::prelude::*;

use crate::app::App;
use crate::compare::state::comparison::Pace;
use crate::latency::model::simulation::{self, ASSUMED, Simulation, sizes};
use crate::latency::state::{CloudRuns, Phase};
use crate::shared::clock::{next_frame, now};
use crate::shared::settings;

/// Most of a frame that a slice takes, ms.
const SLICE_MS: f64 = 6.0;
/// Requests between two looks at the clock.
const STEP: u64 = 20;
/// How long what is chosen must rest before a run begins, ms: a seed that is typed would begin one a digit.
const REST_MS: f64 = 150.0;

impl App {
    /// Simulates anew whenever service, seed, connection or the sizes measured here change, once the page's charts have
    /// been looked at; not while answers come in, which would slow them down.
    pub(crate) fn follow_cloud(self) {
        let newest = StoredValue::new(0_u32);
        Effect::new(move |_| {
            let looked_at = self.charts.is_needed();
            let race = self.race;
            let latency = self.latency;
            // A run under way is about the values before the change.
            newest.update_value(|newest| *newest = newest.wrapping_add(1));
            let mine = newest.get_value();
            let seed = race.seed.with(|text| settings::read_seed(text));
            let service = race.service.get();
            let connection = race.connection.get();
            let label = race.label();
            if !looked_at || latency.phase.get() != Phase::Idle {
                return;
            }
            let sizes = latency.runs.with(|runs| sizes(runs));
            let current = move || newest.get_value() == mine;
            let (Ok(seed), Ok(service)) = (seed, service) else { return latency.cloud.set(None) };
            leptos::task::spawn_local(async move {
                rest(REST_MS).await;
                let simulate = |sizes| Simulation::new(&service, connection, seed, sizes);
                if sizes != [ASSUMED]
                    && race.pace.with_untracked(Option::is_none)
                    && let Ok(mut timed) = simulate(vec![ASSUMED])
                {
                    let pace = self.in_slices(&mut timed, current).await;
                    race.pace.set(pace);
                }
                let runs = match simulate(sizes.clone()) {
                    Ok(simulation) => self.cloud_runs(simulation, label, &sizes, current).await,
                    Err(_) => None,
                };
                if current() {
                    latency.cloud.set(runs.map(Arc::new));
                }
            });
        });
    }

    /// `None` when a newer run took its place.
    async fn cloud_runs(
        self,
        mut simulation: Simulation<'_>,
        label: String,
        sizes: &[simulation::Size],
        current: impl Fn() -> bool,
    ) -> Option<CloudRuns> {
        let pace = self.in_slices(&mut simulation, current).await?;
        if sizes == [ASSUMED] {
            self.race.pace.set(Some(pace));
        }
        let output_tokens = simulation.output_tokens();
        let Simulation { summary, answers, .. } = simulation;
        let assumed = self.latency.here.with_untracked(Option::is_none);
        Some(CloudRuns { assumed, label, summary, answers, output_tokens, took_ms: pace.took })
    }

    /// Runs it to its end, a slice a frame, in frames in which no answer is under way.
    async fn in_slices(self, simulation: &mut Simulation<'_>, current: impl Fn() -> bool) -> Option<Pace> {
        let mut pace = Pace { took: 0.0, longest: 0.0 };
        let mut done = false;
        while !done {
            next_frame().await;
            if !current() {
                return None;
            }
            if untrack(|| self.busy()) {
                continue;
            }
            let start = now();
            while !done && now() - start < SLICE_MS {
                done = simulation.advance(STEP);
            }
            let slice = now() - start;
            pace = Pace { took: pace.took + slice, longest: pace.longest.max(slice) };
        }
        Some(pace)
    }
}

async fn rest(ms: f64) {
    let until = now() + ms;
    while now() < until {
        next_frame().await;
    }
}
