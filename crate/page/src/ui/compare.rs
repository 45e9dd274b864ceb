//! Section 2: what was measured here, and what is simulated for a cloud, in two lanes that never mix.

use leptos::prelude::*;

use super::live::live;
use super::parts::{Origin, origin, raw, section_head};
use super::waterfall::waterfall;
use crate::format;
use crate::race::{self, Lane};
use crate::state::{App, Race};

/// Section 2.
pub(crate) fn compare(app: App) -> impl IntoView {
    let race = app.race;
    view! {
        <section id="compare" class="section" aria-labelledby="compare-title">
            {section_head(
                "compare-title",
                "2",
                "Compare",
                "How long the same request would take in the cloud. One lane is measured, the other simulated: they are \
                 drawn to the same scale and never mixed.",
            )}
            <div class="card">
                {live(app)}
                {outcome(race)}
                <p class="muted" data-testid="race-size">{move || race.size.get().words()}</p>
                <div class="lanes">
                    {here_lane(app)}
                    {cloud_lane(race)}
                </div>
                {table(race)}
                {caveats(app)}
            </div>
        </section>
    }
}

fn simulated_lane(race: Race) -> Option<Lane> {
    race.cloud.with(|cloud| cloud.as_ref().ok().map(|(lane, _)| lane.clone()))
}

/// One scale for both lanes, so that the eye may compare them.
fn scale(race: Race) -> f64 {
    let here = race.here.with(|lane| lane.as_ref().map_or(0.0, |lane| lane.end));
    simulated_lane(race).map_or(here, |cloud| here.max(cloud.end))
}

fn outcome(race: Race) -> impl IntoView {
    move || {
        let text = match (race.here.get(), simulated_lane(race)) {
            (Some(here), Some(cloud)) => race::verdict(&here, &cloud),
            (None, _) => {
                "Load the model and let it answer once: its measured times appear beside the simulated ones."
                    .to_owned()
            }
            (_, None) => "The simulation needs a valid seed.".to_owned(),
        };
        view! { <p class="verdict" data-testid="race-verdict">{text}</p> }
    }
}

fn here_lane(app: App) -> impl IntoView {
    let race = app.race;
    let moved =
        move || app.chat.measured.with(|measured| measured.as_ref().is_some_and(|measured| measured.moved));
    let model = move || app.model.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.name.clone()));
    view! {
        <article class="lane lane-measured" aria-labelledby="lane-here">
            <div class="lane-head">
                <h3 id="lane-here">"This device"</h3>
                <p>{origin(Origin::Measured)}</p>
                <p class="muted small">
                    {model} {move || model().map(|_| ", ")} {move || app.backend().0}
                    {move || moved().then_some("; this answer spans two backends, since the GPU failed in the middle")}
                </p>
            </div>
            <div class="lane-body">
                {move || match race.here.get() {
                    Some(lane) => waterfall(&lane, scale(race), "measured").into_any(),
                    None => view! { <p class="placeholder">"No answer measured yet."</p> }.into_any(),
                }}
            </div>
        </article>
    }
}

fn cloud_lane(race: Race) -> impl IntoView {
    view! {
        <article class="lane lane-simulated" aria-labelledby="lane-cloud">
            <div class="lane-head">
                <h3 id="lane-cloud">"Simulated cloud"</h3>
                <p><span class="origin origin-simulated" data-testid="cloud-label">{move || race.label()}</span></p>
                {controls(race)}
            </div>
            <div class="lane-body">
                {move || race.cloud.get().ok().map(|(lane, spread)| view! {
                    {waterfall(&lane, scale(race), "simulated")}
                    <p class="muted small" data-testid="cloud-spread">{spread.words()}</p>
                })}
                <details data-testid="cloud-sources">
                    <summary>"Sources of this preset"</summary>
                    <ul class="sources small">
                        {move || race.preset(|preset| preset.sources.clone()).into_iter().map(|source| view! { <li>{source}</li> }).collect_view()}
                    </ul>
                </details>
            </div>
        </article>
    }
}

fn controls(race: Race) -> impl IntoView {
    let problem = move || race.cloud.with(|cloud| cloud.as_ref().err().cloned());
    view! {
        <div class="controls">
            <label class="stacked">
                "Preset"
                <select data-testid="cloud-preset" on:change:target=move |event| {
                    if let Ok(index) = event.target().value().parse() {
                        race.choose(index);
                    }
                }>
                    {race.labels().into_iter().enumerate().map(|(index, label)| view! {
                        <option value=index.to_string() selected=move || race.chosen.get() == index>{label}</option>
                    }).collect_view()}
                </select>
            </label>
            <label class="stacked">
                "Connection"
                <select data-testid="cloud-connection" on:change:target=move |event| race.warm.set(event.target().value() == "warm")>
                    <option value="cold">"new"</option>
                    <option value="warm">"already open"</option>
                </select>
            </label>
            {seed(race)}
        </div>
        <p class="field-problem" id="cloud-seed-problem">{problem}</p>
    }
}

fn seed(race: Race) -> impl IntoView {
    view! {
            <label class="stacked">
                "Seed"
                <input
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    data-testid="cloud-seed"
                    aria-describedby="cloud-seed-problem"
                    aria-invalid=move || race.cloud.with(Result::is_err).then_some("true")
                    prop:value=move || race.seed.get()
                    on:input:target=move |event| race.seed.set(event.target().value())
                />
            </label>
    }
}

/// The same figures in columns of their own.
fn table(race: Race) -> impl IntoView {
    type Row = (&'static str, &'static str, fn(&Lane) -> Option<f64>);
    const ROWS: [Row; 3] = [
        ("Time to first token", "ttft", |lane| Some(lane.ttft)),
        ("Between tokens, median", "itl", |lane| lane.itl),
        ("Whole answer", "e2e", |lane| Some(lane.end)),
    ];
    let cell = |value: Option<f64>| value.map_or(format::NONE.to_owned(), format::ms);
    let rows = move |(label, key, read): Row| {
        let here = move || race.here.with(|lane| lane.as_ref().and_then(read));
        let cloud = move || simulated_lane(race).as_ref().and_then(read);
        view! {
            <tr>
                <th scope="row">{label}</th>
                <td class="value-measured" data-testid=format!("local-{key}") data-value=move || raw(here())>{move || cell(here())}</td>
                <td class="value-simulated" data-testid=format!("cloud-{key}") data-value=move || raw(cloud())>{move || cell(cloud())}</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Table: this device and the simulated cloud">
            <table class="race-table">
                <caption class="visually-hidden">"The last answer on this device, and one simulated request"</caption>
                <thead>
                    <tr>
                        <td></td>
                        <th scope="col">"This device " {origin(Origin::Measured)}</th>
                        <th scope="col">"Cloud " {origin(Origin::Simulated)}</th>
                    </tr>
                </thead>
                <tbody>{ROWS.map(rows).into_iter().collect_view()}</tbody>
            </table>
        </div>
    }
}

/// What the two lanes do not say.
fn caveats(app: App) -> impl IntoView {
    let reused = move || {
        app.chat.measured.with(|r| r.as_ref().and_then(|r| r.figures().reused_tokens)).filter(|n| *n > 0)
    };
    view! {
        {move || reused().map(|n| view! {
            <p class="muted small">{format!("Here {n} tokens of the prompt were still in memory from before; the simulated service reads all of them.")}</p>
        })}
        <p class="muted small">
            "This compares waiting times, not answers: a hosted model is usually far larger than the one in this tab. \
             One answer is one sample."
        </p>
    }
}
