//! How long answers take: measured here over many, simulated for a cloud, and what came from another device.

use std::sync::Arc;

use latency::Ms;
use latency::corpus::{self, Category, Prompt};
use latency::export::{Context, Export, Imported, Run};
use latency::stats::{self, Metrics, Summary};
use leptos::prelude::*;
use protocol::{Asked, Ended, Measure, Operation, Sampled, ToWorker, Until};

use crate::app::App;
use crate::latency::cloud_runs::CloudRuns;
use crate::latency::model::sustained::Load;

/// Answers before the first that counts.
const WARM_UP: u32 = 1;
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

/// What a measurement is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Aim {
    /// Distributions, over the corpus.
    Answers,
    /// Sustained load, with one prompt.
    Soak,
}

/// What stands in the form.
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

/// The measurements' part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    /// What stands in the form.
    pub(crate) options: Options,
    /// Where it stands.
    pub(crate) phase: RwSignal<Phase>,
    /// What it is for.
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
    /// What the runs that count come to.
    pub(crate) here: RwSignal<Option<Arc<Summary<stats::Measured>>>>,
    /// As many simulated requests as are needed for a P99.9, of the sizes measured here.
    pub(crate) cloud: RwSignal<Option<Arc<CloudRuns>>>,
    /// Another device's samples.
    pub(crate) other: RwSignal<Option<Arc<Imported>>>,
    /// Sustained load.
    pub(crate) load: RwSignal<Arc<Load>>,
    /// Answers that came while it ran: shown once it rests, so that the page does not slow what it measures.
    waiting: StoredValue<Vec<Run>>,
    prompts: StoredValue<Vec<Prompt>>,
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
        let (context, runs) = (self.place.get(), self.runs.get());
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

    fn number(text: RwSignal<String>, name: &str, low: f64, high: f64) -> Result<f64, String> {
        let value = text.with_untracked(|text| text.trim().parse::<f64>());
        value
            .ok()
            .filter(|value| (low..=high).contains(value))
            .ok_or_else(|| format!("{name}: it must be a number from {low} to {high}."))
    }

    fn until(&self) -> Result<Until, String> {
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
    fn show(&self) {
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

    fn corpus(&self, most_tokens: u32) -> Vec<Asked> {
        let asked = |prompt: &Prompt| Asked {
            text: prompt.text.clone(),
            max_tokens: prompt.max_tokens.min(most_tokens),
        };
        self.prompts.with_value(|prompts| prompts.iter().map(asked).collect())
    }
}

impl App {
    /// Measures answers to the corpus, in place of those measured before.
    pub(crate) fn start_measuring(&self) {
        let latency = self.latency;
        let asked = Latency::number(latency.options.tokens, "Tokens of an answer", 2.0, 256.0)
            .and_then(|tokens| Ok((latency.until()?, tokens as u32)));
        match asked {
            Err(problem) => self.fail(Operation::Measure, problem),
            Ok((until, tokens)) => {
                let prompts = latency.corpus(tokens);
                if self.start(Aim::Answers, Measure { prompts, warm_up: WARM_UP, until }) {
                    latency.waiting.set_value(Vec::new());
                    latency.runs.set(Arc::default());
                    latency.here.set(None);
                }
            }
        }
    }

    /// Keeps the device busy for some minutes with one prompt.
    pub(crate) fn start_soak(&self) {
        let latency = self.latency;
        match Latency::number(latency.options.minutes, "Minutes", 0.05, 60.0) {
            Err(problem) => self.fail(Operation::Measure, problem),
            Ok(minutes) => {
                let mut prompts = latency.corpus(256);
                prompts.truncate(1);
                let until = Until::Time { ms: 60_000.0 * minutes };
                if self.start(Aim::Soak, Measure { prompts, warm_up: WARM_UP, until }) {
                    latency.load.set(Arc::default());
                }
            }
        }
    }

    fn start(&self, aim: Aim, measure: Measure) -> bool {
        if !untrack(|| self.can_generate()) {
            return false;
        }
        let latency = self.latency;
        self.problem.set(None);
        latency.aim.set(aim);
        latency.done.set(0);
        latency.asked.set(Some(measure.until));
        // A load says nothing about the answers that stand here: they keep their place, time and ending.
        if aim == Aim::Answers {
            latency.ended.set(None);
            latency.place.set(self.place());
        }
        latency.phase.set(Phase::Running);
        self.announce("Measuring many answers.");
        self.bridge.send(&ToWorker::Hidden(document().hidden()), None);
        self.bridge.send(&ToWorker::Measure(measure), None);
        true
    }

    /// Holds it, or lets it go on.
    pub(crate) fn pause_measuring(&self) {
        let paused = match self.latency.phase.get_untracked() {
            Phase::Idle => return,
            Phase::Running => true,
            Phase::Paused => false,
        };
        self.latency.phase.set(if paused { Phase::Paused } else { Phase::Running });
        self.latency.show();
        self.announce(if paused { "Paused after this answer." } else { "Measuring goes on." });
        self.bridge.send(&ToWorker::Pause(paused), None);
    }

    /// Ends it; what came until now stays.
    pub(crate) fn stop_measuring(&self) {
        if untrack(|| self.latency.busy()) {
            self.bridge.send(&ToWorker::Abort, None);
        }
    }

    /// Tells the worker when the tab goes to the background, where browsers slow pages down.
    pub(crate) fn watch_visibility(self) {
        window_event_listener_untyped("visibilitychange", move |_| {
            if untrack(|| self.latency.busy()) {
                self.bridge.send(&ToWorker::Hidden(document().hidden()), None);
            }
        });
    }

    pub(crate) fn on_sampled(&self, sampled: &Sampled) {
        let latency = self.latency;
        latency.done.set(sampled.number + 1);
        if sampled.warm_up {
            return;
        }
        match latency.aim.get_untracked() {
            Aim::Soak => latency.load.update(|load| {
                let load = Arc::make_mut(load);
                load.answer(sampled.asked_ms, &sampled.arrivals_ms, sampled.memory_bytes);
            }),
            Aim::Answers => self.keep(sampled),
        }
    }

    fn keep(&self, sampled: &Sampled) {
        let latency = self.latency;
        let name = |prompts: &Vec<Prompt>| {
            prompts.get(sampled.prompt as usize).map(|prompt| (prompt.id.clone(), prompt.category))
        };
        let Some((prompt, category)) = latency.prompts.with_value(name) else { return };
        let arrivals: Vec<_> = sampled.arrivals_ms.iter().map(|ms| Ms(*ms)).collect();
        let number = sampled.number - WARM_UP;
        let run = Run::new(&prompt, category, number, sampled.prompt_tokens, &arrivals);
        let run = Run { hidden: sampled.hidden, ..run };
        latency.waiting.update_value(|waiting| waiting.push(run));
        if latency.phase.get_untracked() != Phase::Running {
            latency.show();
        }
    }

    pub(crate) fn on_measured(&self, measured: protocol::Measured) {
        self.latency.show();
        self.latency.phase.set(Phase::Idle);
        if self.latency.aim.get_untracked() == Aim::Answers {
            let asked = self.latency.asked.get_untracked();
            self.latency.ended.set(asked.map(|until| (until, measured)));
        }
        self.announce(match measured.ended {
            Ended::Narrow => "Measured: the percentile is known well enough.",
            Ended::Spent => "Measured.",
            Ended::Aborted => "The measurement was stopped; what came until then stays.",
        });
    }

    /// It ended with an error, or with the worker; what came until then stays.
    pub(crate) fn on_measure_failed(&self, message: String) {
        self.latency.show();
        self.latency.phase.set(Phase::Idle);
        self.fail(Operation::Measure, message);
    }

    /// Reads an earlier export, of this device or another; or tells why there is no text to read.
    pub(crate) fn import(&self, text: Result<String, String>) {
        match text.and_then(|text| Imported::read(&text).map_err(|error| error.to_string())) {
            Ok(imported) => {
                self.problem.set(None);
                self.latency.other.set(Some(Arc::new(imported)));
                self.announce("The export was read.");
            }
            Err(error) => self.fail(
                Operation::Measure,
                format!("The export cannot be read: {error}. Choose a JSON or CSV file that this page or nibble bench wrote."),
            ),
        }
    }

    /// Where is being measured.
    fn place(&self) -> Context {
        let device = self.device.with_untracked(|device| {
            let cores = device.cores.map_or("an unknown number of".to_owned(), |cores| cores.to_string());
            device.memory_gb.map_or(format!("{cores} cores"), |gb| format!("{cores} cores, {gb} GB or more"))
        });
        let build = untrack(|| self.standing()).map_or("", |standing| standing.rung.name);
        let model = self.model.loaded.with_untracked(|l| l.as_ref().map(|l| l.name.clone()));
        Context {
            device,
            browser: line(&window().navigator().user_agent().unwrap_or_default()),
            backend: line(&untrack(|| self.backend()).0),
            build: format!("nibble {} {build}", env!("CARGO_PKG_VERSION")),
            model: line(&model.unwrap_or_default()),
            at_unix_ms: js_sys::Date::now() as u64,
            seed: None,
        }
    }
}

/// As an export may hold it: one line of at most 500 characters. A model's name comes from its file.
fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}
