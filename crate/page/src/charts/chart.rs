//! A chart with its table twin: the chart is drawn by `charts.js` once it is about to be seen.

use js_sys::{Array, Function, JSON, Reflect};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{Element, IntersectionObserver, IntersectionObserverInit};

use crate::charts::code::{ChartCode, LoadState};
use crate::charts::drawings::{Chart, Table};
use crate::charts::scales::drawable;
use crate::charts::table::table_twin;

/// The chart code is fetched when the chart comes this near to the window.
const NEAR: &str = "400px";

/// Content of a chart, in words and as data.
#[derive(Clone, Copy)]
pub(crate) struct Shown {
    /// Name for tests.
    pub(crate) testid: &'static str,
    /// Heading.
    pub(crate) title: &'static str,
    /// One sentence that says what the chart shows.
    pub(crate) sentence: Memo<String>,
    /// Data of the drawing.
    pub(crate) chart: Memo<Option<Chart>>,
    /// The same as a table.
    pub(crate) table: Memo<Option<Table>>,
}

/// A sentence, the chart, and its table behind a disclosure.
pub(crate) fn chart(code: ChartCode, shown: Shown) -> impl IntoView {
    let place = NodeRef::<Div>::new();
    watch_until_near(place, code);
    draw_when_ready(place, code, shown.chart);
    let failed = move || code.state.with(|state| matches!(state, LoadState::Failed));
    view! {
        <figure class="chart">
            <figcaption>
                <h4>{shown.title}</h4>
                <p class="muted">{move || shown.sentence.get()}</p>
            </figcaption>
            <div
                class="chart-place"
                class:hidden=failed
                data-lines=move || shown.chart.with(|chart| chart.as_ref().map(|chart| chart.series.len()))
                role="application"
                aria-roledescription="line chart"
                aria-label=move || format!("{} Arrow keys move along it; the table below has the figures.", shown.sentence.get())
                data-testid=shown.testid
                node_ref=place
            ></div>
            {move || failed().then(|| view! {
                <p class="notice">"The chart could not be loaded from this site. The table has the same figures."</p>
            })}
            {table_twin(shown.testid, shown.title, shown.table)}
        </figure>
    }
}

/// Asks for the chart code when the place comes near the window.
fn watch_until_near(place: NodeRef<Div>, code: ChartCode) {
    Effect::new(move |_| {
        let Some(element) = place.get() else { return };
        let seen = Closure::<dyn FnMut(Array, IntersectionObserver)>::new(
            move |entries: Array, observer: IntersectionObserver| {
                let near = |entry: JsValue| {
                    Reflect::get(&entry, &"isIntersecting".into()).is_ok_and(|v| v.is_truthy())
                };
                if entries.iter().any(near) {
                    observer.disconnect();
                    code.need();
                }
            },
        );
        let options = IntersectionObserverInit::new();
        options.set_root_margin(NEAR);
        match IntersectionObserver::new_with_options(seen.as_ref().unchecked_ref(), &options) {
            Ok(observer) => observer.observe(&element),
            // Without an observer the chart is simply loaded now.
            Err(_) => code.need(),
        }
        // The callback lives as long as this effect does.
        let _kept = StoredValue::new_local(seen);
    });
}

/// Draws again whenever the data changes.
fn draw_when_ready(place: NodeRef<Div>, code: ChartCode, chart: Memo<Option<Chart>>) {
    Effect::new(move |_| {
        let (Some(element), Some(chart)) = (place.get(), chart.get()) else { return };
        let element: &Element = &element;
        let state = code.state.get();
        if let LoadState::Ready(module) = state
            && draw(&module, element, &chart).is_none()
        {
            code.state.set(LoadState::Failed);
        }
    });
    on_cleanup(move || {
        let element = place.get_untracked();
        code.state.with_untracked(|state| {
            if let (LoadState::Ready(module), Some(element)) = (state, element) {
                let element: &Element = &element;
                let _ = method(module, "destroy").map(|destroy| destroy.call1(module, element));
            }
        });
    });
}

/// `draw(element, spec)`; `None` when the chart code refuses.
fn draw(module: &JsValue, element: &Element, chart: &Chart) -> Option<()> {
    let spec = JSON::parse(&serde_json::to_string(&drawable(chart)).ok()?).ok()?;
    method(module, "draw")?.call2(module, element, &spec).ok()?;
    Some(())
}

fn method(module: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(module, &name.into()).ok()?.dyn_into().ok()
}
