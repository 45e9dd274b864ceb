//! The worker's messages, turned into state: one match over every message there is.

use leptos::prelude::*;
use protocol::{Failure, FailureKind, FromWorker, Operation};

use crate::app::{App, Engine};
use crate::shared::text::sentence;

impl App {
    pub(crate) fn receive(&self, message: FromWorker) {
        match message {
            FromWorker::Ready(ready) => {
                self.device.update(|device| device.found(ready.gpu));
                self.engine.set(Engine::Ready);
            }
            FromWorker::LoadProgress(progress) => self.on_progress(progress),
            FromWorker::Loaded(loaded) => self.on_loaded(*loaded),
            FromWorker::Prefill(prefill) => self.on_prefill(prefill),
            FromWorker::Token(token) => self.on_token(&token),
            FromWorker::Finished(finished) => self.on_finished(finished),
            FromWorker::Moved(moved) => self.on_moved(moved),
            FromWorker::Benched(benched) => self.on_benched(benched),
            FromWorker::Probed(pace) => self.on_probed(pace),
            FromWorker::Sampled(sampled) => self.on_sampled(&sampled),
            FromWorker::Measured(measured) => self.on_measured(measured),
            FromWorker::Forgotten { bytes } => self.on_forgotten(bytes),
            FromWorker::Models(models) => self.on_models(models),
            FromWorker::Inspected(inspected) => self.on_inspected(inspected),
            // The bridge hands its file on.
            FromWorker::Exported { .. } => {}
            FromWorker::Failed(failure) => self.failed(failure),
        }
    }

    fn failed(&self, failure: Failure) {
        let Failure { operation, id, kind, message } = failure;
        match operation {
            Operation::Load | Operation::Start => {
                let shown = (kind != FailureKind::Aborted).then(|| sentence(&message));
                self.on_load_failed(operation, shown);
            }
            Operation::Generate => self.on_generate_failed(id, kind, sentence(&message)),
            Operation::Bench => {
                self.on_bench_failed((kind != FailureKind::Aborted).then(|| sentence(&message)));
            }
            Operation::Probe => self.on_probe_failed(sentence(&message)),
            Operation::Measure => self.on_measure_failed(sentence(&message)),
            Operation::Forget | Operation::Store | Operation::Message => {
                self.fail(operation, sentence(&message))
            }
        }
    }

    /// The worker had to be ended. Its model is gone with it; the conversation stays.
    pub(crate) fn crashed(&self, message: String) {
        if self.engine.get_untracked() != Engine::Ready {
            // Not one of the builds started, and all are tried again.
            self.fallbacks.set(Vec::new());
        }
        let was_loaded = self.model.loaded.with_untracked(Option::is_some);
        self.engine.set(Engine::Off);
        self.model.loaded.set(None);
        self.model.loading.set(None);
        self.model.probing.set(false);
        self.model.report.set(None);
        self.bench.forget();
        let measuring = untrack(|| self.latency.busy());
        let advice = if was_loaded {
            "Load the model again: it starts afresh, and a stored model needs no second download."
        } else {
            "Try again; if that does not help, reload the page, or try a newer browser."
        };
        let text = format!("{message} {advice}");
        if self.chat.running.with_untracked(Option::is_some) {
            self.on_generate_failed(None, FailureKind::Internal, text);
        } else if measuring {
            self.on_measure_failed(text);
        } else {
            self.fail(Operation::Start, text);
        }
    }
}
