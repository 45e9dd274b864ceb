//! The cost scenario: what is typed, what it comes to, and the chart code once it is needed.

use economics::{Report, Scenario};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::costing::{self, Texts};

/// The chart code, loaded when a chart is about to be seen.
#[derive(Clone)]
pub(crate) enum Charts {
    /// Nobody needed it yet.
    Off,
    /// On its way.
    Loading,
    /// The module: `{draw, destroy}`.
    Ready(JsValue),
    /// It could not be loaded; the tables say the same.
    Failed,
}

/// The cost section's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// What stands in the form.
    pub(crate) texts: RwSignal<Texts>,
    /// What is wrong with it: (position in the fields, sentence).
    pub(crate) problems: Memo<Vec<(usize, String)>>,
    /// The last valid scenario's result.
    pub(crate) report: Memo<Option<Report>>,
    /// The chart code.
    pub(crate) charts: RwSignal<Charts, LocalStorage>,
    load_charts: StoredValue<js_sys::Function, LocalStorage>,
}

impl Cost {
    pub(super) fn new(load_charts: js_sys::Function) -> Self {
        let texts = RwSignal::new(costing::texts(&Scenario::seed_example()));
        let read = Memo::new(move |_| texts.with(costing::read));
        Self {
            texts,
            problems: Memo::new(move |_| read.get().err().unwrap_or_default()),
            // A half-typed number must not empty the charts: the last valid result stays.
            report: Memo::new(move |before: Option<&Option<Report>>| {
                let now = read.get().ok().and_then(|scenario| economics::evaluate(&scenario).ok());
                now.or_else(|| before.cloned().flatten())
            }),
            charts: RwSignal::new_local(Charts::Off),
            load_charts: StoredValue::new_local(load_charts),
        }
    }

    /// Puts the article's example back.
    pub(crate) fn reset(&self) {
        self.texts.set(costing::texts(&Scenario::seed_example()));
    }

    /// Loads the chart code, once.
    pub(crate) fn need_charts(&self) {
        if !self.charts.with_untracked(|charts| matches!(charts, Charts::Off)) {
            return;
        }
        self.charts.set(Charts::Loading);
        let (charts, load) = (self.charts, self.load_charts.get_value());
        leptos::task::spawn_local(async move {
            let promise = load.call0(&JsValue::NULL).map(js_sys::Promise::unchecked_from_js);
            let module = match promise {
                Ok(promise) => JsFuture::from(promise).await,
                Err(error) => Err(error),
            };
            charts.set(module.map_or(Charts::Failed, Charts::Ready));
        });
    }
}
