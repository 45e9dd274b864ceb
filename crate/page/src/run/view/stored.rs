//! The models stored in this browser: used, looked into, saved elsewhere, deleted, one by one.

use leptos::prelude::*;
use protocol::{Models, Stored};

use crate::app::App;
use crate::run::model::choices::{is_whole, last_used, origin};
use crate::shared::clock::epoch_ms;
use crate::shared::format;

/// The list; nothing where nothing is stored, or nobody has looked yet.
pub(super) fn stored(app: App) -> impl IntoView {
    move || {
        let models = app.model.stored.get().filter(|models| !models.models.is_empty())?;
        let room = room(&models);
        Some(view! {
            <section class="stored" aria-labelledby="stored-title">
                <h4 id="stored-title">"Models on this device"</h4>
                <ul data-testid="stored-models">
                    {models.models.into_iter().map(|model| row(app, model)).collect_view()}
                </ul>
                <p class="small muted" data-testid="stored-room">{room}</p>
            </section>
        })
    }
}

fn row(app: App, model: Stored) -> impl IntoView {
    let busy = move || app.model.loading.with(Option::is_some) || app.busy();
    let use_label = label_of("Use", &model);
    let id = StoredValue::new(model.id.clone());
    let ours = move || {
        app.model.choices().iter().any(|choice| choice.stored && id.with_value(|id| *id == choice.key))
    };
    view! {
        <li class="stored-model" data-testid="stored-model" data-id=model.id.clone()>
            <p class="stored-name">{model.file.clone()}</p>
            <p class="small muted num">{facts(&model)}</p>
            <div class="buttons">
                {move || ours().then(|| view! {
                    <button type="button" data-testid="stored-use" aria-label=use_label.clone() disabled=busy on:click=move |_| app.use_stored(id.get_value())>"Use"</button>
                })}
                <button type="button" data-testid="stored-inspect" aria-label=label_of("Look into", &model) on:click=move |_| app.inspect_stored(id.get_value())>"Look into"</button>
                <button type="button" data-testid="stored-save" aria-label=label_of("Save a copy of", &model) on:click=move |_| app.export_model(id.get_value())>"Save a copy"</button>
                <button type="button" data-testid="stored-delete" aria-label=label_of("Delete", &model) disabled=busy on:click=move |_| app.delete_model(id.get_value())>"Delete"</button>
            </div>
        </li>
    }
}

/// A button's name for those who do not see beside what it stands.
fn label_of(verb: &str, model: &Stored) -> String {
    format!("{verb} {}", model.file)
}

fn facts(model: &Stored) -> String {
    let held = format::bytes(model.bytes as f64);
    let size = match &model.record {
        Some(record) if !is_whole(model) => {
            format!("{held} of {}, unfinished", format::bytes(record.bytes as f64))
        }
        _ => held,
    };
    let files = model.record.as_ref().map(|record| record.parts.len() as u32).filter(|files| *files > 0);
    let files = files.map(|files| format!("in {}", format::counted(files, "file", "files")));
    let used = model.record.as_ref().map(|record| last_used(record.used_ms, epoch_ms()));
    [Some(size), files, Some(origin(model)), used].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// How much room is taken and left, and whether the browser may clear it.
fn room(models: &Models) -> String {
    let until = match models.persisted {
        true => "The browser keeps them until you delete them.",
        false => "The browser may clear them when space runs low.",
    };
    match models.quota {
        Some((used, quota)) => {
            let (used, quota) = (format::bytes(used as f64), format::bytes(quota as f64));
            format!("This site uses {used} of the {quota} that it may. {until}")
        }
        None => until.to_owned(),
    }
}
