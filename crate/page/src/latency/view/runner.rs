//! The measurement: one button, its options, how far it is, and how it ended.

use leptos::prelude::*;
use protocol::{Ended, Operation, Until};

use crate::app::App;
use crate::latency::state::{AIMS, Aim, Phase};
use crate::latency::view::forward;
use crate::shared::clock::stamp;
use crate::shared::format;
use crate::shared::parts::{icon, problem, raw};

/// The card's content.
pub(super) fn runner(app: App) -> impl IntoView {
    view! {
        <h3>"Measure many answers on this device"</h3>
        <p class="muted">
            "Fifteen prompts in five categories, in turn, one after the other, each from an empty cache. The first answer warms up \
             and does not count. Times are taken in the engine’s worker."
        </p>
        {buttons(app, Aim::Answers, "measure")}
        {options(app)}
        {problem(app, &[Operation::Measure])}
        {told(app)}
        {forward::forward(app)}
    }
}

/// Start, pause and stop, with progress. `testid`: what the buttons' names begin with.
pub(super) fn buttons(app: App, aim: Aim, testid: &'static str) -> impl IntoView {
    let latency = app.latency;
    let mine = move || latency.busy() && latency.aim.get() == aim;
    let paused = move || latency.phase.get() == Phase::Paused;
    let start = move |_| match aim {
        Aim::Answers => app.start_measuring(),
        Aim::Soak => app.start_soak(),
    };
    let hint = move || match (mine(), app.model.loaded.with(Option::is_some), app.busy()) {
        (true, ..) => progress(app),
        (_, false, _) => "Load the model above first.".to_owned(),
        (_, _, true) => "The engine is busy.".to_owned(),
        _ => String::new(),
    };
    view! {
        <div class="buttons">
            <button
                type="button"
                class="primary"
                class:hidden=mine
                data-testid=format!("{testid}-start")
                disabled=move || !app.can_generate()
                on:click=start
            >
                {icon("play")} {match aim {
                    Aim::Answers => "Measure",
                    Aim::Soak => "Keep it busy",
                }}
            </button>
            <button type="button" class:hidden=move || !mine() data-testid=format!("{testid}-pause") aria-pressed=move || paused().to_string() on:click=move |_| app.pause_measuring()>
                {move || if paused() { "Go on" } else { "Pause" }}
            </button>
            <button type="button" class:hidden=move || !mine() data-testid=format!("{testid}-stop") on:click=move |_| app.stop_measuring()>
                {icon("stop")} "Stop"
            </button>
            <span class="small muted" data-testid=format!("{testid}-progress")>{hint}</span>
        </div>
    }
}

fn progress(app: App) -> String {
    let latency = app.latency;
    let paused = if latency.phase.get() == Phase::Paused { "Paused. " } else { "" };
    let done = format::counted(latency.done.get(), "answer", "answers");
    let all = match latency.asked.get() {
        Some(Until::Answers { most } | Until::Narrow { most, .. }) => format!("{most} and one to warm up"),
        Some(Until::Time { ms }) => format!("{} minutes", format::plain(ms / 6e4)),
        None => String::new(),
    };
    format!("{paused}{done} so far, of at most {all}.")
}

fn options(app: App) -> impl IntoView {
    let options = app.latency.options;
    let narrow = move || options.narrow.get();
    view! {
        <details data-testid="measure-options">
            <summary>"Options: how many answers, how long, when to stop"</summary>
            <div class="run-line">
                {entry("measure-answers", "Answers, at most", options.answers)}
                {entry("measure-tokens", "Tokens of an answer, at most", options.tokens)}
                <label class="choice">
                    <input type="checkbox" data-testid="measure-narrow" prop:checked=narrow on:change:target=move |event| options.narrow.set(event.target().checked()) />
                    <span>"Stop once this percentile of the first token is known well enough"</span>
                </label>
                <label class="field inline" class:hidden=move || !narrow()>
                    <span>"Percentile"</span>
                    <select data-testid="measure-percentile" on:change:target=move |event| {
                        if let Ok(at) = event.target().value().parse() {
                            options.percentile.set(at);
                        }
                    }>
                        {AIMS.into_iter().enumerate().map(|(at, p)| view! {
                            <option value=at selected=move || options.percentile.get() == at>{format!("P{}", 100.0 * p)}</option>
                        }).collect_view()}
                    </select>
                </label>
                <div class:hidden=move || !narrow()>{entry("measure-width", "Interval at most so wide, %", options.width)}</div>
            </div>
        </details>
    }
}

/// A short entry with its label.
pub(super) fn entry(testid: &'static str, label: &'static str, text: RwSignal<String>) -> impl IntoView {
    view! {
        <label class="field inline" for=testid>
            <span>{label}</span>
            <input id=testid type="text" inputmode="decimal" size="6" data-testid=testid prop:value=move || text.get() on:input:target=move |event| text.set(event.target().value()) />
        </label>
    }
}

/// The measurement's place and its end.
fn told(app: App) -> impl IntoView {
    let latency = app.latency;
    let counted = move || latency.here.with(|here| here.as_ref().map(|here| here.ttft.count()));
    let hidden = move || latency.hidden();
    move || {
        let count = counted()?;
        let ended = latency.ended.get();
        let why = ended.map(|(until, measured)| match measured.ended {
            Ended::Narrow => " Stopped when the interval was narrow enough, which makes it look surer than it is: of 95 % intervals found \
                              so, 83 % hold the percentile.",
            Ended::Spent if matches!(until, Until::Narrow { .. }) => " The interval is still wider than asked for.",
            Ended::Spent => "",
            Ended::Aborted => " Stopped early; what came until then counts.",
        });
        let place = latency.place.get();
        let tick = ended.map(|(_, measured)| measured.tick_ms);
        Some(view! {
            <p class="small" data-testid="measure-told">
                <strong data-testid="measure-count" data-value=count.to_string()>{format::counted(count as u32, "answer", "answers")}</strong>
                " of " {place.model} " on " {place.backend} ", measured on this device from " {stamp(place.at_unix_ms)} " on." {why}
            </p>
            {tick.map(|tick| view! {
                <p class="small muted">
                    "The clock’s smallest step, measured: "
                    <span data-testid="measure-tick" data-value=raw(Some(tick))>{format!("{} ms", format::decimal(tick, 3))}</span>
                    ". No time here is known better."
                </p>
            })}
            {(hidden() > 0).then(|| view! {
                <p class="notice" data-testid="measure-hidden" data-value=hidden().to_string()>
                    {format::counted(hidden() as u32, "answer was", "answers were")}
                    " given while this tab was in the background, where browsers slow pages down: kept in the export, left out of every figure."
                </p>
            })}
        })
    }
}
