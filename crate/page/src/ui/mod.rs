//! What a visitor sees: small components over the signals of `state`.
mod chart;
mod compare;
mod conversation;
mod cost;
mod cost_form;
mod device_card;
mod header;
mod metrics;
mod model_card;
mod notes;
mod parts;
mod prompt_box;
mod run;
mod settings_form;
mod summary;
mod waterfall;

use leptos::prelude::*;

use crate::state::App;

/// The whole page.
pub(crate) fn page(app: App) -> impl IntoView {
    view! {
        <a class="skip" href="#run">"Skip to the model"</a>
        {header::header()}
        {summary::summary(app)}
        <main class="page">
            {run::run(app)}
            {compare::compare(app)}
            {cost::cost(app)}
            {notes::notes(app)}
        </main>
        // One polite region for milestones; the answer itself is not read out token by token.
        <p class="visually-hidden" role="status" aria-live="polite" data-testid="announcement">
            {move || app.announced.get()}
        </p>
    }
}
