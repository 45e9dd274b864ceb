//! Starting and ending the measurement of the backend, and what it brings.

use leptos::prelude::*;
use protocol::{Benched, ToWorker};

use crate::app::App;
use crate::run::state::bench::ASKED;

impl App {
    /// Measures what is loaded.
    pub(crate) fn start_bench(&self) {
        if untrack(|| self.can_generate()) {
            self.problem.set(None);
            self.bench.running.set(true);
            self.announce("Measuring.");
            self.bridge.send(&ToWorker::Bench(ASKED));
        }
    }

    /// Ends the measurement.
    pub(crate) fn stop_bench(&self) {
        if self.bench.running.get_untracked() {
            self.bridge.send(&ToWorker::Abort);
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
