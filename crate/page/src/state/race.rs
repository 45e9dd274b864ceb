//! The simulated cloud beside the last answer: preset, seed, connection, and what comes of them.

use latency::cloud::{Connection, Preset};
use latency::presets;
use leptos::prelude::*;

use super::chat::Chat;
use crate::race::{self, Lane, Size, Spread};
use crate::settings;

/// The comparison's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Race {
    presets: StoredValue<Vec<Preset>>,
    /// Position of the chosen preset.
    pub(crate) chosen: RwSignal<usize>,
    /// What stands in the seed field.
    pub(crate) seed: RwSignal<String>,
    /// Whether the simulated request finds an open connection.
    pub(crate) warm: RwSignal<bool>,
    /// The size of the request that both sides handle.
    pub(crate) size: Memo<Size>,
    /// The measured lane, once there is an answer.
    pub(crate) here: Memo<Option<Lane>>,
    /// The simulated lane and its spread, or why there is none.
    pub(crate) cloud: Memo<Result<(Lane, Spread), String>>,
}

impl Race {
    pub(super) fn new(chat: Chat) -> Self {
        let presets = StoredValue::new(presets::all());
        let (chosen, seed, warm) = (RwSignal::new(0), RwSignal::new("1".to_owned()), RwSignal::new(false));
        let size = Memo::new(move |_| chat.measured.with(|recording| Size::of(recording.as_ref())));
        let cloud = Memo::new(move |_| {
            let seed = seed.with(|text| settings::read_seed(text))?;
            let connection = if warm.get() { Connection::Warm } else { Connection::Cold };
            presets.with_value(|all| race::cloud(&all[chosen.get()], size.get(), connection, seed))
        });
        Self {
            presets,
            chosen,
            seed,
            warm,
            size,
            here: Memo::new(move |_| chat.measured.with(|recording| recording.as_ref().and_then(race::here))),
            cloud,
        }
    }

    /// One request of this size with what is chosen; `None` while the seed cannot be read.
    pub(crate) fn simulate(&self, size: Size) -> Option<Lane> {
        let seed = self.seed.with(|text| settings::read_seed(text)).ok()?;
        self.preset(|preset| race::lane(preset, size, self.connection(), seed)).ok()
    }

    /// The chosen connection.
    pub(crate) fn connection(&self) -> Connection {
        if self.warm.get() { Connection::Warm } else { Connection::Cold }
    }

    /// Reads the chosen preset.
    pub(crate) fn preset<T>(&self, read: impl FnOnce(&Preset) -> T) -> T {
        let chosen = self.chosen.get();
        self.presets.with_value(|all| read(&all[chosen]))
    }

    /// Names of the presets, in order.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.presets.with_value(|all| all.iter().map(|preset| preset.label.clone()).collect())
    }

    /// Chooses a preset by position.
    pub(crate) fn choose(&self, index: usize) {
        if index < self.presets.with_value(Vec::len) {
            self.chosen.set(index);
        }
    }

    /// What every simulated number must say of itself.
    pub(crate) fn label(&self) -> String {
        let (label, retrieved) = self.preset(|preset| (preset.label.clone(), preset.retrieved.clone()));
        format!("simulated: {label}; seed {}; sources looked up {retrieved}", self.seed.get().trim())
    }

    /// The same in the summary's width; the whole of it is in the title.
    pub(crate) fn short_label(&self) -> String {
        format!("simulated, {}, seed {}", self.preset(|preset| preset.id.clone()), self.seed.get().trim())
    }
}
