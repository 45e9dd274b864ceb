//! Measuring many answers, or one long load.

use std::sync::Arc;

use latency::Ms;
use latency::corpus::Prompt;
use latency::export::{Context, Imported, Run};
use leptos::prelude::*;
use protocol::{Ended, Measure, Operation, Sampled, ToWorker, Until};

use crate::app::App;
use crate::latency::state::{Aim, Latency, Phase, WARM_UP};

impl App {
    /// Tells the worker when the tab goes to the background, where browsers slow pages down.
    pub(crate) fn watch_visibility(self) {
        window_event_listener_untyped("visibilitychange", move |_| {
            if untrack(|| self.latency.busy()) {
                self.bridge.send(&ToWorker::Hidden(document().hidden()));
            }
        });
    }

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
        self.bridge.send(&ToWorker::Hidden(document().hidden()));
        self.bridge.send(&ToWorker::Measure(measure));
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
        self.bridge.send(&ToWorker::Pause(paused));
    }

    /// Ends it; what came until now stays.
    pub(crate) fn stop_measuring(&self) {
        if untrack(|| self.latency.busy()) {
            self.bridge.send(&ToWorker::Abort);
        }
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
        let build = untrack(|| self.active_build()).map_or("", |active| active.build.name);
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
