//! The model: what it is, the one button that loads it, progress, a file of one's own.

use leptos::prelude::*;
use protocol::{Loaded, Operation, TemplateOrigin};

use crate::app::App;
use crate::run::model::catalogue::Entry;
use crate::run::model::labels;
use crate::run::model::load_choice::CHOICES;
use crate::run::state::model::{Loading, Offers};
use crate::shared::format;
use crate::shared::parts::{file_button, icon, problem};

/// Context lengths to choose from, in tokens.
const CONTEXTS: [u32; 5] = [512, 1_024, 2_048, 4_096, 8_192];

/// The model card.
pub(crate) fn model_card(app: App) -> impl IntoView {
    view! {
        <article class="card model" aria-labelledby="model-title">
            <h3 id="model-title">"The model"</h3>
            {move || match app.model.offers.get() {
                Offers::Asking => view! { <p class="muted">"Looking for models on this server…"</p> }.into_any(),
                Offers::Missing(why) => missing(app, why).into_any(),
                Offers::Models(entries) => entries.into_iter().next().map(facts).into_any(),
            }}
            {action(app)}
            {problem(app, &[Operation::Load, Operation::Start, Operation::Forget])}
            {others(app)}
        </article>
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

/// Name, size, licence; the rest in a disclosure.
fn facts(entry: Entry) -> impl IntoView {
    let size = format::bytes(entry.bytes as f64);
    let short: String = entry.sha256.chars().take(12).collect();
    view! {
        <p class="model-name" data-testid="model-name">{entry.name}</p>
        <dl class="facts">
            <div><dt>"Size"</dt><dd>{size}</dd></div>
            <div><dt>"Licence"</dt><dd>{entry.license}</dd></div>
            <div><dt>"Weights"</dt><dd>{entry.quantization}</dd></div>
        </dl>
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
}

/// Button, progress or "ready": one at a time, in the same room.
fn action(app: App) -> impl IntoView {
    let loading = move || app.model.loading.with(Option::is_some);
    view! {
        <div class="model-action">
            {move || match (loading(), app.model.loaded.get()) {
                (true, _) => view! { {progress_bar(app)} }.into_any(),
                (false, Some(loaded)) => ready(app, loaded).into_any(),
                (false, None) => load_button(app).into_any(),
            }}
        </div>
    }
}

fn load_button(app: App) -> impl IntoView {
    move || {
        let entry = app.model.offer()?;
        let supported = app.device.with(|device| device.supported());
        Some(view! {
            <button
                type="button"
                class="primary"
                data-testid="load-button"
                disabled=!supported
                on:click=move |_| app.load_offer()
            >
                {icon("download")}
                {format!("Load {}", format::bytes(entry.bytes as f64))}
            </button>
            <p class="muted small">
                {if supported {
                    "Downloaded once from this site, checked against its hash, and kept in this browser."
                } else {
                    "The engine cannot run in this browser, so there is nothing to load."
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
            </div>
        </div>
        {move || app.model.again().map(|says| view! {
            <button type="button" data-testid="load-again" disabled=move || app.busy() on:click=move |_| app.load_again(true)>
                {icon("again")} {says}
            </button>
        })}
    }
}

/// Where it came from, how long that took, and what is inside.
fn load_figures(loaded: &Loaded, own: bool) -> impl IntoView + use<> {
    let from = match (own, loaded.from_storage) {
        (true, _) => "the file you chose",
        (false, true) => "this browser’s storage",
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
            {template_note(&loaded.chat.origin).map(|note| view! { " " <span data-testid="template-note">{note}</span> })}
        </p>
    }
}

/// What a file without a chat template is answered with.
fn template_note(origin: &TemplateOrigin) -> Option<String> {
    match origin {
        TemplateOrigin::File => None,
        TemplateOrigin::Family(name) => Some(format!(
            "This file has no chat template; its vocabulary is that of the {name} family, whose template is used."
        )),
        TemplateOrigin::None => Some(
            "This file has no chat template: it is read as plain text, and continues text rather than answering."
                .to_owned(),
        ),
    }
}

/// Everything that is not the one button: own file, context, forgetting.
fn others(app: App) -> impl IntoView {
    let busy = move || app.model.loading.with(Option::is_some) || app.busy();
    view! {
        <div class="others">
            {file_button("Open your own .gguf", ".gguf", "file-input", busy, move |file| app.load_file(file))}
            <button type="button" data-testid="forget-models" disabled=busy on:click=move |_| app.forget_models()>
                {icon("forget")} "Forget stored models"
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
