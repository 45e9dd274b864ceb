//! The code that draws charts, loaded when a chart is about to be seen.

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// How far it is loaded.
#[derive(Clone)]
pub(crate) enum LoadState {
    /// Nobody needed it yet.
    Off,
    /// On its way.
    Loading,
    /// The module: `{draw, destroy}`.
    Ready(JsValue),
    /// It could not be loaded; the tables say the same.
    Failed,
}

/// A copyable handle to it.
#[derive(Clone, Copy)]
pub(crate) struct ChartCode {
    /// How far it is loaded.
    pub(crate) state: RwSignal<LoadState, LocalStorage>,
    load: StoredValue<js_sys::Function, LocalStorage>,
}

impl ChartCode {
    /// `load` imports the code when it is called: `() => Promise<{draw, destroy}>`.
    pub(crate) fn new(load: js_sys::Function) -> Self {
        Self { state: RwSignal::new_local(LoadState::Off), load: StoredValue::new_local(load) }
    }

    /// Whether a chart has been about to be seen, so that its figures are worth working out.
    pub(crate) fn is_needed(&self) -> bool {
        self.state.with(|state| !matches!(state, LoadState::Off))
    }

    /// Loads it, once.
    pub(crate) fn need(&self) {
        if !self.state.with_untracked(|state| matches!(state, LoadState::Off)) {
            return;
        }
        self.state.set(LoadState::Loading);
        let state = self.state;
        let load = self.load.get_value();
        leptos::task::spawn_local(async move {
            let promise = load.call0(&JsValue::NULL).map(js_sys::Promise::unchecked_from_js);
            let module = match promise {
                Ok(promise) => JsFuture::from(promise).await,
                Err(error) => Err(error),
            };
            state.set(module.map_or(LoadState::Failed, LoadState::Ready));
        });
    }
}
