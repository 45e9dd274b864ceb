//! How long answers take: measured here over many runs, simulated for a cloud, and what came from another device.

use std::sync::Arc;

use latency::export::{Imported, Run};
use latency::stats::{Measured, Simulated, Summary};
use leptos::prelude::*;

/// Where a measurement stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Phase {
    /// None is under way.
    #[default]
    Idle,
    /// Answers come in.
    Running,
    /// It waits between two answers.
    Paused,
}

/// The measurements' part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Latency {
    /// Where it stands.
    pub(crate) phase: RwSignal<Phase>,
    /// Every answer measured since the model was loaded or the samples were cleared, hidden ones included.
    pub(crate) runs: RwSignal<Arc<Vec<Run>>>,
    /// When the last one came, ms since the Unix epoch.
    pub(crate) measured_at: RwSignal<Option<f64>>,
    /// What the runs that count come to.
    pub(crate) here: RwSignal<Option<Arc<Summary<Measured>>>>,
    /// What as many simulated requests come to, of the sizes measured here, with the chosen preset.
    pub(crate) cloud: RwSignal<Option<Arc<Summary<Simulated>>>>,
    /// Another device's samples.
    pub(crate) other: RwSignal<Option<Imported>>,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            runs: RwSignal::default(),
            measured_at: RwSignal::new(None),
            here: RwSignal::new(None),
            cloud: RwSignal::new(None),
            other: RwSignal::new(None),
        }
    }
}
