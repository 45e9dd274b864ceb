//! The race as it runs: an answer that comes in, and a simulated request played in the same time beside it.

use leptos::prelude::*;

use crate::compare::model::playback::Frame;

/// Both sides at one moment. It is set at most once a frame, and all that moves is made of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Moment {
    /// Since the request, ms.
    pub(crate) now: f64,
    /// This device.
    pub(crate) here: Frame,
    /// The simulated cloud.
    pub(crate) cloud: Frame,
    /// The end of the answer so far.
    pub(crate) text: String,
}

/// The race's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// The answer that races.
    pub(crate) racing: RwSignal<Option<u32>>,
    /// Where the race stands, or how the last one ended.
    pub(crate) moment: RwSignal<Option<Moment>>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self { racing: RwSignal::new(None), moment: RwSignal::new(None) }
    }

    /// Whether a race is under way.
    pub(crate) fn is_on(&self) -> bool {
        self.racing.with(Option::is_some)
    }

    pub(in crate::compare) fn give_up(&self) {
        self.racing.set(None);
        self.moment.set(None);
    }
}
