//! Everything the page knows, as signals, and what can be asked of it.
//!
//! `App` is a handful of copyable handles. Views read its signals and call its methods, which stand in the features’
//! `actions`; only these and the worker’s messages in `inbox` write to them.

use leptos::prelude::*;
use protocol::Operation;

use crate::charts::code::ChartCode;
use crate::compare::state::comparison::Race;
use crate::compare::state::playback::Live;
use crate::cost::state::cost::Cost;
use crate::engine_link::bridge::Bridge;
use crate::engine_link::builds::{ActiveBuild, Fallback};
use crate::engine_link::device::Device;
use crate::latency::state::Latency;
use crate::run::model::{device_check, self_check};
use crate::run::state::bench::Bench;
use crate::run::state::chat::Chat;
use crate::run::state::model::Model;

/// The engine's worker, as far as the page knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Not started: nothing of it has been downloaded.
    Off,
    /// Asked for, not there yet.
    Starting,
    /// Running.
    Ready,
}

/// Something that went wrong, to be told where it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    /// The operation that failed.
    pub(crate) operation: Operation,
    /// A sentence: the thing, the cause, what to do.
    pub(crate) message: String,
}

/// The whole page's state.
#[derive(Clone, Copy)]
pub(crate) struct App {
    /// The device's and the browser's abilities.
    pub(crate) device: RwSignal<Device>,
    /// The engine's worker.
    pub(crate) engine: RwSignal<Engine>,
    /// Builds of the engine that did not start.
    pub(crate) fallbacks: RwSignal<Vec<Fallback>>,
    /// The last thing that went wrong, until the next attempt.
    pub(crate) problem: RwSignal<Option<Problem>>,
    /// Text for screen readers; changes at milestones, never per token.
    pub(crate) announced: RwSignal<String>,
    /// The model on offer and the one loaded.
    pub(crate) model: Model,
    /// The conversation and its settings.
    pub(crate) chat: Chat,
    /// The measurement of the backend.
    pub(crate) bench: Bench,
    /// The comparison with a simulated cloud.
    pub(crate) race: Race,
    /// The race under way.
    pub(crate) live: Live,
    /// How long answers take, over many.
    pub(crate) latency: Latency,
    /// The cost scenario.
    pub(crate) cost: Cost,
    /// The code that draws charts.
    pub(crate) charts: ChartCode,
    /// The engine’s worker is spoken to through it.
    pub(crate) bridge: Bridge,
}

impl App {
    /// A fresh page, of which nothing is known yet.
    pub(crate) fn new(load_charts: js_sys::Function) -> Self {
        let chat = Chat::new();
        Self {
            device: RwSignal::new(Device::default()),
            engine: RwSignal::new(Engine::Off),
            fallbacks: RwSignal::new(Vec::new()),
            problem: RwSignal::new(None),
            announced: RwSignal::new(String::new()),
            model: Model::new(),
            chat,
            bench: Bench::new(),
            race: Race::new(chat),
            live: Live::new(),
            latency: Latency::new(),
            cost: Cost::new(),
            charts: ChartCode::new(load_charts),
            bridge: Bridge::new(),
        }
    }

    /// Tells a milestone to screen readers.
    pub(crate) fn announce(&self, text: impl Into<String>) {
        self.announced.set(text.into());
    }

    /// Remembers what went wrong.
    pub(crate) fn fail(&self, operation: Operation, message: impl Into<String>) {
        self.problem.set(Some(Problem { operation, message: message.into() }));
    }

    /// Whether an answer can be asked for now.
    pub(crate) fn can_generate(&self) -> bool {
        self.model.loaded.with(Option::is_some) && !self.busy()
    }

    /// Whether an answer or a measurement is under way.
    pub(crate) fn busy(&self) -> bool {
        self.chat.running.with(Option::is_some)
            || self.bench.running.get()
            || self.model.probing.get()
            || self.latency.busy()
    }

    /// Starts the worker if it is not running; messages sent meanwhile wait for it.
    pub(crate) fn start_engine(&self) {
        if self.engine.with_untracked(|engine| *engine == Engine::Off) {
            self.engine.set(Engine::Starting);
        }
    }

    /// Which build of the engine runs, or will, and on how many threads.
    pub(crate) fn active_build(&self) -> Option<ActiveBuild> {
        let asked = self.model.threads.get();
        let active_build = self.device.with(|device| ActiveBuild::of(device, self.fallbacks.get(), asked));
        let counted = self.model.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.threads));
        active_build.map(|active_build| ActiveBuild {
            threads: counted.unwrap_or(active_build.threads),
            ..active_build
        })
    }

    /// The backend that computes or, before a model is loaded, will compute, and why: (name, reason).
    pub(crate) fn backend(&self) -> (String, String) {
        if let Some(report) = self.model.report.get() {
            return (report.name.clone(), self_check::reason(&report));
        }
        let preference = self.model.preference.get();
        let (name, reason) = self.device.with(|device| device_check::expected_backend(device, preference));
        (name.to_owned(), reason)
    }
}
