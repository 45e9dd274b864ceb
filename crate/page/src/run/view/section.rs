//! Section 1: this device, the model, a prompt and its answer.

use leptos::ev;
use leptos::prelude::*;
use protocol::Operation;

use crate::app::App;
use crate::run::view::conversation::conversation;
use crate::run::view::device_card::device_card;
use crate::run::view::measure::measure;
use crate::run::view::metrics::metrics;
use crate::run::view::model_card::model_card;
use crate::run::view::prompt_box::prompt_box;
use crate::shared::parts::{problem, section_head};

/// Section 1.
pub(crate) fn run(app: App) -> impl IntoView {
    // Escape stops from wherever the focus is.
    let escape = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" {
            app.stop();
        }
    });
    on_cleanup(move || escape.remove());
    view! {
        <section id="run" class="section" aria-labelledby="run-title">
            {section_head(
                "run-title",
                "1",
                "Run",
                "Load a small language model into this tab and give it a task. It runs on this device: \
                 neither the prompt nor the answer is sent anywhere.",
            )}
            <div class="columns">
                {device_card(app)}
                {model_card(app)}
            </div>
            <div class="card workbench">
                <div class="ask">
                    {prompt_box(app)}
                </div>
                <div class="reply">
                    {problem(app, &[Operation::Generate, Operation::Message])}
                    {conversation(app)}
                    {metrics(app)}
                    {measure(app)}
                </div>
            </div>
        </section>
    }
}
