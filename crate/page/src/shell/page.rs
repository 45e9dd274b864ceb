//! The whole page: header, summary, the features' sections, notes.

use leptos::prelude::*;

use super::{header, notes, summary};
use crate::app::App;
use crate::compare::view::section as compare;
use crate::cost::view::section as cost;
use crate::decide::view as decide;
use crate::latency::view::section as latency;
use crate::run::view::section as run;
use crate::shared::clock::after_first_paint;

/// The whole page.
pub(crate) fn page(app: App) -> impl IntoView {
    let below = RwSignal::new(false);
    after_first_paint(move || {
        below.set(true);
        after_first_paint(go_to_fragment);
    });
    view! {
        <a class="skip" href="#run">"Skip to the model"</a>
        {header::header()}
        {summary::summary(app)}
        <main class="page">
            {run::run(app)}
            {move || below.get().then(|| view! {
                {compare::compare(app)}
                {latency::latency(app)}
                {cost::cost(app)}
                {decide::decide(app)}
                {notes::notes(app)}
            })}
        </main>
        // One polite region for milestones; the answer itself is not read out token by token.
        <p class="visually-hidden" role="status" aria-live="polite" data-testid="announcement">
            {move || app.announced.get()}
        </p>
    }
}

/// An address such as `…#cost` was opened before its section was there.
fn go_to_fragment() {
    let fragment = window().location().hash().unwrap_or_default();
    if let Some(section) = fragment.strip_prefix('#').and_then(|id| document().get_element_by_id(id)) {
        section.scroll_into_view();
    }
}
