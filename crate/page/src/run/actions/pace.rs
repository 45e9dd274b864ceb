//! Timing the processor, and what came of it.

use leptos::prelude::*;
use protocol::{Finished, Operation, Probed, ToWorker};

use crate::app::App;
use crate::run::model::predict::Answered;

impl App {
    /// Has the processor timed, to predict with.
    pub(crate) fn probe(&self) {
        if self.model.loading.with_untracked(Option::is_some) || untrack(|| self.busy()) {
            return;
        }
        self.problem.set(None);
        self.model.probing.set(true);
        self.announce("Timing the processor.");
        self.start_engine();
        self.bridge.send(&ToWorker::Probe { threads: self.model.threads.get_untracked() });
    }

    pub(crate) fn on_probed(&self, pace: Probed) {
        self.model.probing.set(false);
        self.model.pace.set(Some(pace));
        self.announce("Speeds are predicted.");
    }

    pub(crate) fn on_probe_failed(&self, message: String) {
        self.model.probing.set(false);
        self.fail(Operation::Probe, message);
    }

    /// Notes how fast an answer was, to judge the prediction by; one that the GPU gave, or a part of it, says nothing of
    /// the processor.
    pub(crate) fn note_speed(&self, finished: &Finished) {
        let on_gpu =
            self.model.report.with_untracked(|report| report.as_ref().is_none_or(|r| r.variant.is_some()));
        let moved = self.chat.turn(finished.id).is_none_or(|turn| turn.moved.with_untracked(Option::is_some));
        let threads = self.model.loaded.with_untracked(|loaded| loaded.as_ref().map(|loaded| loaded.threads));
        if let (false, false, Some(threads)) = (on_gpu, moved, threads)
            && let Some(answered) = Answered::of(finished, threads)
        {
            self.model.answered.set(Some(answered));
        }
    }
}
