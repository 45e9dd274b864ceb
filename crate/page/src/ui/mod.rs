//! What a visitor sees: small components over the signals of `state`.
mod conversation;
mod device_card;
mod header;
mod metrics;
mod model_card;
mod parts;
mod prompt_box;
mod run;
mod settings_form;

use leptos::prelude::*;

use crate::state::App;

/// The whole page.
pub(crate) fn page(app: App) -> impl IntoView {
    view! {
        <a class="skip" href="#run">"Skip to the model"</a>
        {header::header()}
        <main class="page">
            {run::run(app)}
        </main>
        // One polite region for milestones; the answer itself is not read out token by token.
        <p class="visually-hidden" role="status" aria-live="polite" data-testid="announcement">
            {move || app.announced.get()}
        </p>
    }
}
