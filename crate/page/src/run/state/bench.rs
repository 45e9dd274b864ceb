//! Measuring the loaded model on its backend.

use leptos::prelude::*;
use protocol::Benched;

/// Size of the measurement: prompt tokens, tokens after them, runs after a warm-up.
pub(in crate::run) const ASKED: protocol::Bench = protocol::Bench { prefill: 128, decode: 64, runs: 3 };

/// The measurement's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Bench {
    /// Whether it is under way.
    pub(crate) running: RwSignal<bool>,
    /// Result of the last one.
    pub(crate) result: RwSignal<Option<Benched>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { running: RwSignal::new(false), result: RwSignal::new(None) }
    }

    /// Size of the measurement.
    pub(crate) fn asked(&self) -> protocol::Bench {
        ASKED
    }

    /// Drops what was measured: it is not about what is loaded next.
    pub(crate) fn forget(&self) {
        self.running.set(false);
        self.result.set(None);
    }
}
