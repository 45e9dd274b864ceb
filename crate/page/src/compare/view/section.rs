//! Section 2: what was measured here, and what is simulated for a cloud, in two timelines that never mix.

use leptos::prelude::*;

use crate::app::App;
use crate::compare::model::timeline::Timeline;
use crate::compare::state::comparison::{Pace, Race};
use crate::compare::view::clouds::controls;
use crate::compare::view::sources::sources;
use crate::compare::view::streams::{button, cloud_side, here_side, outcome, size};
use crate::latency::model::simulation::{ASSUMED, REQUESTS};
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::{origin, raw, section_head};

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
                {button(app)}
                {outcome(app)}
                {size(app)}
                <div class="lanes">
                    {here_timeline(app)}
                    {cloud_timeline(app)}
                </div>
                {table(race)}
                {pace(race)}
                {caveats(app)}
            </div>
        </section>
    }
}

fn simulated_timeline(race: Race) -> Option<Timeline> {
    race.cloud.with(|cloud| cloud.as_ref().ok().map(|(timeline, _)| timeline.clone()))
}

fn here_timeline(app: App) -> impl IntoView {
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
            <div class="lane-body" data-testid="lane-here">{here_side(app)}</div>
        </article>
    }
}

fn cloud_timeline(app: App) -> impl IntoView {
    let race = app.race;
    let spread = move || race.cloud.with(|cloud| cloud.as_ref().ok().map(|(_, spread)| spread.words()));
    view! {
        <article class="lane lane-simulated" aria-labelledby="lane-cloud">
            <div class="lane-head">
                <h3 id="lane-cloud">"Simulated cloud"</h3>
                <p><span class="origin origin-simulated" data-testid="cloud-label">{move || race.label()}</span></p>
                {controls(app)}
            </div>
            <div class="lane-body" data-testid="lane-cloud">
                {cloud_side(app)}
                <p class="muted small" data-testid="cloud-spread">{spread}</p>
                {sources(race)}
            </div>
        </article>
    }
}

/// Time that ten thousand requests cost this tab: a duration of our own code, measured, and so outside of the timelines.
fn pace(race: Race) -> impl IntoView {
    let took = move || race.pace.get().map(|pace| pace.took);
    let longest = move || race.pace.get().map(|pace| pace.longest);
    let told = move |pace: Pace| {
        let requests = format::count(REQUESTS as f64);
        let took = format::ms(pace.took);
        let tokens = ASSUMED.output_tokens;
        let longest = format::ms(pace.longest);
        view! {
            {format!("{requests} requests of {tokens} tokens simulated in {took} of this tab’s time, at most {longest} at once (")}
            {origin(Origin::Measured)} ")."
        }
    };
    view! {
        <p class="muted small" data-testid="cloud-pace" data-value=move || raw(took()) data-longest=move || raw(longest())>
            {move || race.pace.get().map(told)}
        </p>
    }
}

/// The same figures in columns of their own.
fn table(race: Race) -> impl IntoView {
    type Row = (&'static str, &'static str, fn(&Timeline) -> Option<f64>);
    const ROWS: [Row; 3] = [
        ("Time to first token", "ttft", |timeline| Some(timeline.ttft)),
        ("Between tokens, median", "itl", |timeline| timeline.itl),
        ("Whole answer", "e2e", |timeline| Some(timeline.end)),
    ];
    let cell = |value: Option<f64>| value.map_or(format::NONE.to_owned(), format::ms);
    let rows = move |(label, key, read): Row| {
        let here = move || race.here.with(|timeline| timeline.as_ref().and_then(read));
        let cloud = move || simulated_timeline(race).as_ref().and_then(read);
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

/// Limits of the comparison.
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
