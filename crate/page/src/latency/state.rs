//! How long answers take: measured here over many, simulated for a cloud, and what came from another device.

use std::sync::Arc;

use latency::corpus::{self, Category, Prompt};
use latency::export::{Context, Export, Imported, Run};
use latency::stats::{self, Metrics, Simulated, Summary};
use leptos::prelude::*;
use protocol::{Asked, Until};

use crate::latency::model::sustained::Load;

/// Answers before the first that counts.
pub(in crate::latency) const WARM_UP: u32 = 1;
/// Seed of every bootstrap.
pub(crate) const SEED: u64 = 1;
/// Percentiles that a measurement may be about.
pub(crate) const AIMS: [f64; 3] = [0.5, 0.9, 0.95];

/// Where a measurement stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    /// None is under way.
    Idle,
    /// Answers come in.
    Running,
    /// It waits between two answers.
    Paused,
}

/// Purpose of a measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aim {
    /// Distributions, over the corpus.
    Answers,
    /// Sustained load, with one prompt.
    Soak,
}

/// Entries of the form.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// Answers, at most.
    pub(crate) answers: RwSignal<String>,
    /// Most tokens of each.
    pub(crate) tokens: RwSignal<String>,
    /// Whether to stop once the percentile is known well enough.
    pub(crate) narrow: RwSignal<bool>,
    /// Which percentile of the time to the first token, by its place in [`AIMS`].
    pub(crate) percentile: RwSignal<usize>,
    /// Widest interval, per cent of the percentile.
    pub(crate) width: RwSignal<String>,
    /// Minutes of sustained load.
    pub(crate) minutes: RwSignal<String>,
}

/// Result of ten thousand simulated requests.
#[derive(Debug)]
pub(crate) struct CloudRuns {
    /// The label that every simulated number carries.
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

/// The measurements' part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    /// Entries of the form.
    pub(crate) options: Options,
    /// Where it stands.
    pub(crate) phase: RwSignal<Phase>,
    /// Its purpose.
    pub(crate) aim: RwSignal<Aim>,
    /// Answers of the last measurement, warm-up included.
    pub(crate) done: RwSignal<u32>,
    /// When the one under way, or the last one, is over.
    pub(crate) asked: RwSignal<Option<Until>>,
    /// How the last one over the corpus ended.
    pub(crate) ended: RwSignal<Option<(Until, protocol::Measured)>>,
    /// Every answer measured, hidden ones included, warm-up left out.
    pub(crate) runs: RwSignal<Arc<Vec<Run>>>,
    /// Where they were measured.
    pub(crate) place: RwSignal<Context>,
    /// Summary of the runs that count.
    pub(crate) here: RwSignal<Option<Arc<Summary<stats::Measured>>>>,
    /// As many simulated requests as are needed for a P99.9, of the sizes measured here.
    pub(crate) cloud: RwSignal<Option<Arc<CloudRuns>>>,
    /// Another device's samples.
    pub(crate) other: RwSignal<Option<Arc<Imported>>>,
    /// Sustained load.
    pub(crate) load: RwSignal<Arc<Load>>,
    /// Answers that came while it ran: shown once it rests, so that the page does not slow what it measures.
    pub(in crate::latency) waiting: StoredValue<Vec<Run>>,
    pub(in crate::latency) prompts: StoredValue<Vec<Prompt>>,
}

impl Latency {
    pub(crate) fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        let options = Options {
            answers: text("30"),
            tokens: text("64"),
            narrow: RwSignal::new(false),
            percentile: RwSignal::new(1),
            width: text("10"),
            minutes: text("5"),
        };
        Self {
            options,
            phase: RwSignal::new(Phase::Idle),
            aim: RwSignal::new(Aim::Answers),
            done: RwSignal::new(0),
            asked: RwSignal::new(None),
            ended: RwSignal::new(None),
            runs: RwSignal::default(),
            place: RwSignal::default(),
            here: RwSignal::new(None),
            cloud: RwSignal::new(None),
            other: RwSignal::new(None),
            load: RwSignal::default(),
            waiting: StoredValue::default(),
            prompts: StoredValue::new(corpus::prompts()),
        }
    }

    /// Whether a measurement is under way, paused ones included.
    pub(crate) fn busy(&self) -> bool {
        self.phase.get() != Phase::Idle
    }

    /// The samples, ready to leave the page.
    pub(crate) fn export(&self) -> Export<stats::Measured> {
        let context = self.place.get();
        let runs = self.runs.get();
        Export { origin: stats::Measured, context, runs: runs.to_vec() }
    }

    /// Metrics of every run that counts, with its category; `None` where there was no answer.
    pub(crate) fn answers(&self) -> Vec<(Category, Option<Metrics>)> {
        self.runs.with(|runs| {
            runs.iter().filter(|run| !run.hidden).map(|run| (run.category, run.metrics())).collect()
        })
    }

    /// Runs that were left out.
    pub(crate) fn hidden(&self) -> usize {
        self.runs.with(|runs| runs.iter().filter(|run| run.hidden).count())
    }

    pub(in crate::latency) fn number(
        text: RwSignal<String>,
        name: &str,
        low: f64,
        high: f64,
    ) -> Result<f64, String> {
        let value = text.with_untracked(|text| text.trim().parse::<f64>());
        value
            .ok()
            .filter(|value| (low..=high).contains(value))
            .ok_or_else(|| format!("{name}: it must be a number from {low} to {high}."))
    }

    pub(in crate::latency) fn until(&self) -> Result<Until, String> {
        let most = Self::number(self.options.answers, "Answers", 1.0, 10_000.0)? as u32;
        if !self.options.narrow.get_untracked() {
            return Ok(Until::Answers { most });
        }
        let width = Self::number(self.options.width, "Width of the interval", 1.0, 100.0)? / 100.0;
        let percentile = AIMS[self.options.percentile.get_untracked().min(AIMS.len() - 1)];
        // Once through the corpus at least, so that every category has a part.
        let fewest = (self.prompts.with_value(Vec::len) as u32).min(most);
        Ok(Until::Narrow { percentile, width, fewest, most, seed: SEED })
    }

    /// Shows the answers that wait.
    pub(in crate::latency) fn show(&self) {
        let waiting = self.waiting.try_update_value(std::mem::take).unwrap_or_default();
        if waiting.is_empty() {
            return;
        }
        if waiting.iter().any(|run| !run.hidden) {
            self.here.update(|here| {
                let summary =
                    Arc::make_mut(here.get_or_insert_with(|| Arc::new(Summary::new(stats::Measured))));
                let counted = waiting.iter().filter(|run| !run.hidden);
                counted.for_each(|run| summary.record_arrivals(&run.arrivals_ms));
            });
        }
        self.runs.update(|runs| Arc::make_mut(runs).extend(waiting));
    }

    pub(in crate::latency) fn corpus(&self, most_tokens: u32) -> Vec<Asked> {
        let asked = |prompt: &Prompt| Asked {
            text: prompt.text.clone(),
            max_tokens: prompt.max_tokens.min(most_tokens),
        };
        self.prompts.with_value(|prompts| prompts.iter().map(asked).collect())
    }
}
