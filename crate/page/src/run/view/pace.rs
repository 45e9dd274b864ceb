//! This processor's pace, of which speeds are predicted: measured when the visitor asks.

use leptos::prelude::*;

use crate::app::App;
use crate::run::model::predict;
use crate::shared::origin::Origin;
use crate::shared::parts::{icon, origin};

/// The button, and what was measured.
pub(super) fn pace(app: App) -> impl IntoView {
    let running = move || app.model.probing.get();
    let idle = move || !app.busy() && app.model.loading.with(Option::is_none);
    let supported = Memo::new(move |_| app.device.with(|device| device.supported()));
    move || {
        supported.get().then(|| {
        view! {
            <div class="pace">
                <p class="small muted num" data-testid="pace" data-value=move || app.model.pace.get().map(|pace| pace.bytes_per_s.to_string())>
                    {move || match app.model.pace.get() {
                        Some(pace) => view! {
                            "Speeds are " {origin(Origin::Predicted)} " for the processor, by what it did just now: "
                            {predict::basis(pace)} " (" {origin(Origin::Measured)} ")."
                        }.into_any(),
                        None => "How fast would a model be here? Timing the processor tells before anything is downloaded.".into_any(),
                    }}
                </p>
                <button type="button" data-testid="probe" disabled=move || !idle() on:click=move |_| app.probe()>
                    {icon("play")}
                    {move || match (running(), app.model.pace.with(Option::is_some)) {
                        (true, _) => "Timing…",
                        (false, true) => "Time it again",
                        (false, false) => "Predict speeds",
                    }}
                </button>
            </div>
        }
    })
    }
}
