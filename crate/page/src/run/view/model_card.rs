//! The model: what it is, the one button that loads it, progress, a file of one's own.

use leptos::prelude::*;
use protocol::{Loaded, Needs, Operation};
use web_sys::DragEvent;

use crate::app::App;
use crate::run::model::choices::Choice;
use crate::run::model::labels;
use crate::run::model::load_choice::CHOICES;
use crate::run::state::model::{Loading, Offers};
use crate::run::view::inspected::inspected;
use crate::run::view::pace::pace;
use crate::run::view::picker::{self, CONTEXTS, picker};
use crate::run::view::stored::stored;
use crate::shared::format;
use crate::shared::parts::{file_button, files_button, icon, listed, problem};

/// The model card.
pub(crate) fn model_card(app: App) -> impl IntoView {
    let choice = Memo::new(move |_| app.model.choice());
    view! {
        <article
            class="card model"
            aria-labelledby="model-title"
            on:dragover=|event| event.prevent_default()
            on:drop=move |event| dropped(app, &event)
        >
            <h3 id="model-title">"The model"</h3>
            {move || match app.model.offers.get() {
                Offers::Asking => view! { <p class="muted">"Looking for models on this server…"</p> }.into_any(),
                Offers::Missing(why) => missing(app, why).into_any(),
                Offers::Models(_) => ().into_any(),
            }}
            {picker(app)}
            {move || choice.get().map(|choice| facts(app, choice))}
            {pace(app)}
            {action(app, choice)}
            {problem(app, &[Operation::Load, Operation::Start, Operation::Probe, Operation::Forget, Operation::Store])}
            {others(app)}
            {stored(app)}
            {inspected(app)}
        </article>
    }
}

/// Loads the files that were dropped on the card.
fn dropped(app: App, event: &DragEvent) {
    event.prevent_default();
    let files = event.data_transfer().and_then(|data| data.files()).map(listed).unwrap_or_default();
    if !files.is_empty() {
        app.load_files(files);
    }
}

/// No model server: what that means, and what still works.
fn missing(app: App, why: String) -> impl IntoView {
    view! {
        <div class="notice" data-testid="catalogue-missing">
            {icon("warn")}
            <div>
                <p>
                    "This site offers no model: " {why}
                    " You can open a .gguf file of your own below; the comparison and the cost sections work without one."
                </p>
                <button type="button" class="quiet" data-testid="catalogue-retry" on:click=move |_| app.read_catalogue()>
                    {icon("again")} "Look again"
                </button>
            </div>
        </div>
    }
}

/// Name, size, licence, memory; the rest in a disclosure.
fn facts(app: App, choice: Choice) -> impl IntoView {
    let size = format::bytes(choice.bytes as f64);
    let entry = choice.entry.clone();
    let brief = entry.clone().map(|entry| {
        view! {
            <div><dt>"Licence"</dt><dd>{entry.license}</dd></div>
            <div><dt>"Weights"</dt><dd>{entry.quantization}</dd></div>
        }
    });
    view! {
        <p class="model-name" data-testid="model-name">{choice.name.clone()}</p>
        <dl class="facts">
            <div><dt>"Size"</dt><dd>{size}</dd></div>
            {brief}
        </dl>
        <p class="small muted num" data-testid="model-memory">{move || picker::facts(app, &choice)}</p>
        {entry.map(|entry| {
            let short: String = entry.sha256.chars().take(12).collect();
            view! {
                <details>
                    <summary>"File, source and hash " <code>{short} "…"</code></summary>
                    <dl class="facts facts-long">
                        <div><dt>"File"</dt><dd>{entry.file}</dd></div>
                        <div><dt>"Source"</dt><dd>{entry.source}</dd></div>
                        <div><dt>"Bytes"</dt><dd>{format::count(entry.bytes as f64)}</dd></div>
                        <div><dt>"Architecture"</dt><dd>{entry.architecture}</dd></div>
                        <div><dt>"SHA-256"</dt><dd><code>{entry.sha256}</code></dd></div>
                    </dl>
                </details>
            }
        })}
    }
}

/// Button, progress or "ready": one at a time, in the same room.
fn action(app: App, choice: Memo<Option<Choice>>) -> impl IntoView {
    let loading = move || app.model.loading.with(Option::is_some);
    view! {
        <div class="model-action">
            {move || match (loading(), app.model.loaded.get()) {
                (true, _) => view! { {progress_bar(app)} }.into_any(),
                (false, Some(loaded)) => ready(app, loaded).into_any(),
                (false, None) => load_button(app, choice).into_any(),
            }}
        </div>
    }
}

fn load_button(app: App, choice: Memo<Option<Choice>>) -> impl IntoView {
    move || {
        let choice = choice.get()?;
        let supported = app.device.with(|device| device.supported());
        Some(view! {
            <button
                type="button"
                class="primary"
                data-testid="load-button"
                disabled=move || !supported || app.model.probing.get()
                on:click=move |_| app.load_offer()
            >
                {icon(if choice.stored { "play" } else { "download" })}
                {format!("Load {}", format::bytes(choice.bytes as f64))}
            </button>
            <p class="muted small">
                {match (supported, choice.stored) {
                    (true, false) => "Downloaded once from this site, checked against its hash, and kept in this browser.",
                    (true, true) => "On this device already: checked against its hash, and nothing is downloaded.",
                    (false, _) => "The engine cannot run in this browser, so there is nothing to load.",
                }}
            </p>
        })
    }
}

/// How a load goes.
fn progress_bar(app: App) -> impl IntoView {
    let standing = Memo::new(move |_| {
        app.model.loading.with(|loading| loading.as_ref().map(Loading::standing).unwrap_or_default())
    });
    let with = move |read: fn(&Loading) -> String| {
        app.model.loading.with(|loading| loading.as_ref().map(read).unwrap_or_default())
    };
    let progress = move || app.model.loading.with(|loading| loading.as_ref().and_then(Loading::shown));
    let beside = Memo::new(move |_| app.model.loading.with(|l| l.as_ref().and_then(Loading::beside)));
    view! {
        <div class="loading">
            <p class="loading-stage" id="load-stage">
                {move || progress().map_or("Starting", |p| labels::stage(p.stage))} " " {with(|l| l.file.clone())}
            </p>
            <progress
                max="1"
                prop:value=move || standing.get().0
                aria-labelledby="load-stage"
                data-testid="load-progress"
                data-stage=move || progress().map(|p| labels::stage_key(p.stage))
                data-done=move || progress().map(|p| p.done.to_string())
                data-total=move || progress().map(|p| p.total.to_string())
            ></progress>
            <div class="loading-foot">
                <div class="num">
                    <p data-testid="load-detail">{move || standing.get().1}</p>
                    <p class="small muted" data-testid="compile-detail">{move || beside.get()}</p>
                </div>
                <button
                    type="button"
                    data-testid="load-cancel"
                    disabled=move || app.model.loading.with(|l| l.as_ref().is_some_and(|l| l.cancelling))
                    on:click=move |_| app.cancel_load()
                >
                    {icon("stop")} "Cancel"
                </button>
            </div>
        </div>
    }
}

/// The loaded model, with the figures of the load.
fn ready(app: App, loaded: Loaded) -> impl IntoView {
    let own = app.model.own_file.get_untracked();
    let weights = format!("{} million", format::decimal(loaded.parameters as f64 / 1e6, 1));
    let context = loaded.context;
    view! {
        <div class="notice notice-good" data-testid="model-status" data-value="ready" data-storage=loaded.from_storage.to_string()>
            {icon("check")}
            <div>
                <p><strong>{loaded.name.clone()}</strong> " is ready: " {weights} " weights, context of "
                    {format::count(f64::from(context))} " tokens."</p>
                {load_figures(&loaded, own)}
                {app.model.shortened(&loaded).map(|why| view! { <p class="small" data-testid="lowered">{why}</p> })}
                {prediction(app, loaded.needs)}
                {loaded.not_kept.clone().map(|why| view! { <p class="small" data-testid="not-kept">"It was not kept on this device: " {why} "."</p> })}
            </div>
        </div>
        {move || app.model.again().map(|says| view! {
            <button type="button" data-testid="load-again" disabled=move || app.busy() on:click=move |_| app.load_again(true)>
                {icon("again")} {says}
            </button>
        })}
    }
}

/// How far the prediction for the processor was off, once the model has run on it.
fn prediction(app: App, needs: Needs) -> impl IntoView {
    move || {
        let pace = app.model.pace.get()?;
        let on_gpu = app.model.report.with(|report| report.as_ref().is_some_and(|r| r.variant.is_some()));
        let error = app.model.answered.get().and_then(|answered| answered.error(pace, needs));
        let text = match (on_gpu, error) {
            (true, _) => Some("The prediction is for the processor, and the GPU runs here.".to_owned()),
            (false, error) => error,
        };
        text.map(|text| view! { <p class="small num" data-testid="prediction">{text}</p> })
    }
}

/// Where it came from, how long that took, and what is inside.
fn load_figures(loaded: &Loaded, own: bool) -> impl IntoView + use<> {
    let from = match (own, loaded.from_storage) {
        (_, true) => "this browser’s storage",
        (true, false) => "the file you chose",
        (false, false) => "this site",
    };
    let types = loaded.quantization.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let memory = format::bytes(loaded.memory_bytes as f64);
    let on_gpu = loaded.gpu_memory_bytes;
    view! {
        <p class="muted small">
            "Loaded from " {from} " in "
            <span class="num" data-testid="metric-load" data-value=loaded.load_ms.to_string()>{format::ms(loaded.load_ms)}</span>
            ", engine memory " {memory}
            {(on_gpu > 0).then(|| view! {
                ", GPU buffers " <span data-testid="gpu-memory" data-value=on_gpu.to_string()>{format::bytes(on_gpu as f64)}</span>
            })}
            " (" <span class="origin origin-measured">"measured"</span> "). "
            {loaded.architecture.clone()} ", " {loaded.layers} " layers, " {types} "."
            {loaded.chat.template_note().map(|note| view! { " " <span data-testid="template-note">{note}</span> })}
        </p>
    }
}

/// Everything that is not the one button: own file, context, forgetting.
fn others(app: App) -> impl IntoView {
    let busy = move || app.model.loading.with(Option::is_some) || app.busy();
    view! {
        <div class="others">
            {files_button("Open your own .gguf", ".gguf", "file-input", true, busy, move |files| app.load_files(files))}
            <label class="inline-field">
                <input type="checkbox" data-testid="keep-file" prop:checked=move || app.model.keep.get() disabled=busy
                    on:change:target=move |event| app.model.keep.set(event.target().checked()) />
                <span>"Keep it on this device"</span>
            </label>
            {file_button("Look into a .gguf", ".gguf", "inspect-input", || false, move |file| app.inspect_file(file))}
            <button type="button" data-testid="forget-models" disabled=busy on:click=move |_| app.forget_models()>
                {icon("forget")} "Delete all stored models"
            </button>
            {context(app, busy)}
            {preference(app, busy)}
        </div>
        <p class="muted small" data-testid="forgotten">{move || app.model.forgotten.get()}</p>
    }
}

/// How many tokens a conversation may have; takes effect when a model is loaded.
fn context(app: App, busy: impl Fn() -> bool + Send + Copy + 'static) -> impl IntoView {
    view! {
            <label class="inline-field">
                <span>"Context"</span>
                <select data-testid="context" disabled=busy on:change:target=move |event| {
                    if let Ok(context) = event.target().value().parse() {
                        app.model.context.set(context);
                    }
                }>
                    {CONTEXTS.map(|context| view! {
                        <option value=context selected=move || app.model.context.get() == context>
                            {format!("{} tokens", format::count(f64::from(context)))}
                        </option>
                    }).into_iter().collect_view()}
                </select>
            </label>
    }
}

/// Choice of the backend; takes effect when a model is loaded.
fn preference(app: App, busy: impl Fn() -> bool + Send + Copy + 'static) -> impl IntoView {
    view! {
        <label class="inline-field">
            <span>"Runs on"</span>
            <select data-testid="backend-preference" disabled=busy on:change:target=move |event| {
                let key = event.target().value();
                if let Some(choice) = CHOICES.iter().find(|choice| choice.key == key) {
                    app.model.preference.set(choice.preference);
                }
            }>
                {CHOICES.map(|choice| view! {
                    <option value=choice.key selected=move || app.model.preference.get() == choice.preference>
                        {choice.label}
                    </option>
                }).into_iter().collect_view()}
            </select>
        </label>
    }
}
