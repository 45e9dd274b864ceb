//! All models that can be loaded, each with its size, its memory and its likely speed.

use leptos::prelude::*;
use protocol::{Needs, SHORTEST};

use crate::app::App;
use crate::run::model::choices::Choice;
use crate::run::model::{fit, predict};
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::origin;

/// Context lengths to choose from, in tokens.
pub(super) const CONTEXTS: [u32; 5] = [SHORTEST, 1_024, 2_048, 4_096, 8_192];

/// The list, where there is more than one to choose from.
pub(super) fn picker(app: App) -> impl IntoView {
    let all = Memo::new(move |_| app.model.choices());
    move || {
        let all = all.get();
        (all.len() > 1).then(|| {
            view! {
                <fieldset class="picker" data-testid="model-picker">
                    <legend>"Choose a model"</legend>
                    {all.into_iter().map(|choice| row(app, choice)).collect_view()}
                </fieldset>
            }
        })
    }
}

fn row(app: App, choice: Choice) -> impl IntoView {
    let key = StoredValue::new(choice.key.clone());
    let is_chosen = move || app.model.choice().is_some_and(|choice| key.with_value(|key| *key == choice.key));
    let busy = move || app.model.loading.with(Option::is_some) || app.busy();
    let name = choice.name.clone();
    view! {
        <label class="pick" class:pick-chosen=is_chosen>
            <input
                type="radio"
                name="model"
                data-testid="model-choice"
                value=choice.key.clone()
                prop:checked=is_chosen
                disabled=busy
                on:change=move |_| app.model.chosen.set(Some(key.get_value()))
            />
            <span>
                <span class="pick-name">{name}</span>
                <span class="pick-facts small muted num">{move || facts(app, &choice)}</span>
            </span>
        </label>
    }
}

/// Size, memory and speed, as far as they are known, in one line.
pub(super) fn facts(app: App, choice: &Choice) -> impl IntoView + use<> {
    let size = format::bytes(choice.bytes as f64);
    let size = match choice.stored {
        true => format!("{size}, on this device"),
        false => format!("{size} to download"),
    };
    let memory = choice.needs.map(|needs| {
        let memory_gb = app.device.with(|device| device.memory_gb);
        format!(" · {}", fit::words(needs, app.model.context.get(), memory_gb))
    });
    view! { {size} {memory} {choice.needs.and_then(|needs| speed(app, needs))} }
}

/// Predicted speed, once the processor was timed.
pub(super) fn speed(app: App, needs: Needs) -> Option<impl IntoView> {
    let words = predict::words(app.model.pace.get()?, needs, app.model.context.get())?;
    Some(view! { " · " <span data-testid="predicted">{words} " (" {origin(Origin::Predicted)} ")"</span> })
}
