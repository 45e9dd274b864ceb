//! Measuring the loaded model on its backend.

use leptos::prelude::*;
use protocol::{Benched, ToWorker};

use crate::app::App;

/// What the measurement runs: prompt tokens, tokens after them, runs after a warm-up.
const ASKED: protocol::Bench = protocol::Bench { prefill: 128, decode: 64, runs: 3 };

/// The measurement's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Bench {
    /// Whether it is under way.
    pub(crate) running: RwSignal<bool>,
    /// What the last one brought.
    pub(crate) result: RwSignal<Option<Benched>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { running: RwSignal::new(false), result: RwSignal::new(None) }
    }

    /// What will be run.
    pub(crate) fn asked(&self) -> protocol::Bench {
        ASKED
    }

    /// Drops what was measured: it is not about what is loaded next.
    pub(crate) fn forget(&self) {
        self.running.set(false);
        self.result.set(None);
    }
}

impl App {
    /// Measures what is loaded.
    pub(crate) fn start_bench(&self) {
        if untrack(|| self.can_generate()) {
            self.problem.set(None);
            self.bench.running.set(true);
            self.announce("Measuring.");
            self.bridge.send(&ToWorker::Bench(ASKED), None);
        }
    }

    /// Ends the measurement.
    pub(crate) fn stop_bench(&self) {
        if self.bench.running.get_untracked() {
            self.bridge.send(&ToWorker::Abort, None);
        }
    }

    pub(crate) fn on_benched(&self, benched: Benched) {
        self.bench.running.set(false);
        self.bench.result.set(Some(benched));
        self.announce("Measured.");
    }

    /// It ended without a result; without a message the visitor ended it.
    pub(crate) fn on_bench_failed(&self, message: Option<String>) {
        self.bench.running.set(false);
        match message {
            Some(message) => self.fail(protocol::Operation::Bench, message),
            None => self.announce("The measurement was stopped."),
        }
    }
}
