//! How the next token is chosen, behind a disclosure; ranges are checked as one types.

use leptos::prelude::*;
use protocol::Precision;

use crate::app::App;
use crate::run::model::load_choice::MEASURED;
use crate::shared::parts::icon;
use crate::shared::settings::{self, FIELDS, Field, SEED};
use crate::shared::text::sentence;

/// The sampling form.
pub(crate) fn settings_form(app: App) -> impl IntoView {
    let problems = Memo::new(move |_| app.chat.texts.with(settings::parse).err().unwrap_or_default());
    view! {
        <details class="settings" data-testid="settings">
            <summary>
                "Settings: temperature, seed, length …"
                {move || (!problems.with(Vec::is_empty)).then(|| view! {
                    <span class="flag">{icon("warn")} "needs a look"</span>
                })}
            </summary>
            <div class="fields">
                {FIELDS.iter().enumerate().map(|(index, field)| row(app, index, field, problems)).collect_view()}
                {variant(app)}
                {threads(app)}
                {reading(app)}
            </div>
            <button type="button" data-testid="new-seed" on:click=move |_| {
                app.chat.texts.update(|texts| texts[SEED] = new_seed().to_string());
            }>
                {icon("again")} "New seed"
            </button>
        </details>
    }
}

/// The GPU kernels' variant; takes effect when a model is loaded.
fn variant(app: App) -> impl IntoView {
    view! {
        <div class="field">
            <label for="set-variant">"Kernel variant of the GPU"</label>
            <input
                id="set-variant"
                type="text"
                autocomplete="off"
                spellcheck="false"
                data-testid="variant-choice"
                aria-describedby="set-variant-hint"
                prop:value=move || app.model.variant.get()
                on:input:target=move |event| app.model.variant.set(event.target().value())
            />
            <p class="hint" id="set-variant-hint">
                <code>{MEASURED}</code> ": the fastest here. Or a name such as " <code>"workgroup-float-64x1x1"</code>
                ". Applies to the next load."
            </p>
        </div>
    }
}

/// How many threads compute; takes effect when a model is loaded.
fn threads(app: App) -> impl IntoView {
    let alone = Memo::new(move |_| {
        let active = app.active_build()?;
        app.device.with(|device| active.single_thread_cause(device))
    });
    let cores = Memo::new(move |_| app.device.with(|device| device.cores.unwrap_or(1)));
    let option = move |count: u32| {
        let label = match count {
            0 => "Automatic".to_owned(),
            count => count.to_string(),
        };
        view! { <option value=count selected=move || app.model.threads.get() == count>{label}</option> }
    };
    view! {
        <div class="field">
            <label for="set-threads">"Threads of the processor"</label>
            <select
                id="set-threads"
                data-testid="threads"
                aria-describedby="set-threads-hint"
                disabled=move || alone.with(Option::is_some)
                on:change:target=move |event| {
                    if let Ok(count) = event.target().value().parse() {
                        app.model.threads.set(count);
                    }
                }
            >
                {move || (0..=cores.get()).map(option).collect_view()}
            </select>
            <p class="hint" id="set-threads-hint" data-testid="threads-hint">
                {move || match alone.get() {
                    Some(cause) => sentence(&format!("one thread: {cause}")),
                    None => "Automatic: one a core, 8 at most. Applies to the next load.".to_owned(),
                }}
            </p>
        </div>
    }
}

/// How finely the processor reads prompts; takes effect when a model is loaded.
fn reading(app: App) -> impl IntoView {
    let option = move |value: &'static str, precision: Precision, label: &'static str| {
        view! {
            <option value=value selected=move || app.model.reading.get() == precision>{label}</option>
        }
    };
    view! {
        <div class="field">
            <label for="set-reading">"Activations while a prompt is read"</label>
            <select
                id="set-reading"
                data-testid="reading"
                aria-describedby="set-reading-hint"
                on:change:target=move |event| app.model.reading.set(match &*event.target().value() {
                    "14" => Precision::Fourteen,
                    _ => Precision::Eight,
                })
            >
                {option("8", Precision::Eight, "8 bits: faster")}
                {option("14", Precision::Fourteen, "14 bits: finer")}
            </select>
            <p class="hint" id="set-reading-hint">
                "On the processor. What the model says itself always has 14 bits; a GPU rounds no activations. "
                "Applies to the next load."
            </p>
        </div>
    }
}

/// A seed a person can read out; the whole 64 bits can still be typed.
fn new_seed() -> u32 {
    (js_sys::Math::random() * 1e6) as u32
}

type Problems = Memo<Vec<(usize, String)>>;

fn row(app: App, index: usize, field: &'static Field, problems: Problems) -> impl IntoView {
    let id = format!("set-{}", field.key);
    let hint_id = format!("{id}-hint");
    let problem_id = format!("{id}-problem");
    let problem =
        move || problems.with(|all| all.iter().find(|(at, _)| *at == index).map(|(_, text)| text.clone()));
    let described = format!("{hint_id} {problem_id}");
    view! {
        <div class="field">
            <label for=id.clone()>{field.label}</label>
            <input
                id=id
                type="text"
                inputmode=if field.whole { "numeric" } else { "decimal" }
                autocomplete="off"
                data-testid=field.key
                aria-describedby=described
                aria-invalid=move || problem().is_some().then_some("true")
                prop:value=move || app.chat.texts.with(|texts| texts[index].clone())
                on:input:target=move |event| {
                    let typed = event.target().value();
                    app.chat.texts.update(|texts| texts[index] = typed);
                }
            />
            <p class="hint" id=hint_id>{field.range()} ". " {field.hint} "."</p>
            <p class="field-problem" id=problem_id data-testid=format!("{}-problem", field.key)>{problem}</p>
        </div>
    }
}
