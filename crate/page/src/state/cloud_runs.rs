//! Ten thousand requests to the simulated cloud, a few milliseconds a frame.

use std::sync::Arc;

use latency::stats::{Metrics, Simulated, Summary};
use leptos::prelude::*;

use super::latency::Phase;
use super::parts::{frame, now};
use super::{App, Charts};
use crate::settings;
use crate::timing::{Simulation, sizes};

/// Most of a frame that a slice takes, ms.
const SLICE_MS: f64 = 6.0;
/// Requests between two looks at the clock.
const STEP: u64 = 50;

/// What they came to.
#[derive(Debug)]
pub(crate) struct CloudRuns {
    /// What they are of, as every simulated number says it.
    pub(crate) label: String,
    /// The four metrics.
    pub(crate) summary: Summary<Simulated>,
    /// Every request's.
    pub(crate) answers: Vec<Metrics>,
    /// Mean tokens of an answer.
    pub(crate) output_tokens: f64,
    /// Whether nothing was measured yet, so that the size is assumed.
    pub(crate) assumed: bool,
    /// Time it took to compute, ms, without the frames in between.
    pub(crate) took_ms: f64,
}

impl App {
    /// Simulates anew whenever preset, seed, connection or the sizes measured here change, once the page's charts have
    /// been looked at; not while answers come in, which would slow them down.
    pub(crate) fn follow_cloud(self) {
        let newest = StoredValue::new(0_u32);
        Effect::new(move |_| {
            let looked_at = self.cost.charts.with(|charts| !matches!(charts, Charts::Off));
            let (race, latency) = (self.race, self.latency);
            // Whatever changed, a run under way is of something else.
            newest.update_value(|newest| *newest = newest.wrapping_add(1));
            let Ok(seed) = race.seed.with(|text| settings::read_seed(text)) else { return };
            let (preset, connection) = (race.preset(Clone::clone), race.connection());
            if !looked_at || latency.phase.get() != Phase::Idle {
                return;
            }
            let sizes = latency.runs.with(|runs| sizes(runs));
            let Ok(simulation) = Simulation::new(preset, connection, seed, sizes) else { return };
            let label = race.label();
            leptos::task::spawn_local(self.simulate(label, simulation, newest));
        });
    }

    /// Runs it in slices between frames; given up once a newer one has begun.
    async fn simulate(self, label: String, mut simulation: Simulation, newest: StoredValue<u32>) {
        let (mine, mut took_ms, mut done) = (newest.get_value(), 0.0, false);
        while !done {
            frame().await;
            if newest.get_value() != mine {
                return;
            }
            let start = now();
            while !done && now() - start < SLICE_MS {
                done = simulation.advance(STEP);
            }
            took_ms += now() - start;
        }
        let output_tokens = simulation.output_tokens();
        let Simulation { summary, answers, .. } = simulation;
        let assumed = self.latency.here.with_untracked(Option::is_none);
        let runs = CloudRuns { assumed, label, summary, answers, output_tokens, took_ms };
        self.latency.cloud.set(Some(Arc::new(runs)));
    }
}
