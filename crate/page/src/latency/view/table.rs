//! Percentiles: a table a side, never one for both.

use latency::export::{Context, Export, Imported, Tag};
use latency::stats::{self, Metrics};
use leptos::prelude::*;

use crate::app::App;
use crate::compare::model::size::BYTES_PER_TOKEN;
use crate::latency::model::percentiles::{Cell, LEVELS, Line, Means, by_category, lines};
use crate::latency::model::verdict::verdict;
use crate::latency::state::SEED;
use crate::shared::clock::stamp;
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::{origin, raw};

/// All sides, and which of the two is faster.
pub(super) fn table(app: App) -> impl IntoView {
    let latency = app.latency;
    let here = Memo::new(move |_| latency.here.with(|here| here.as_ref().map(|here| lines(here, SEED))));
    let cloud =
        Memo::new(move |_| latency.cloud.with(|cloud| cloud.as_ref().map(|c| lines(&c.summary, SEED))));
    let middle = |lines: &[Line; 4]| [lines[0].cells[0], lines[3].cells[0]];
    let told = move || {
        let both = here.get().zip(cloud.get());
        let told = both.and_then(|(here, cloud)| verdict(middle(&here), middle(&cloud)));
        told.unwrap_or_else(|| match latency.busy() {
            true => "Answers are shown once the measurement rests: until then nothing takes time from it."
                .to_owned(),
            false => {
                "Measure five answers or more: then they stand here beside the simulated cloud.".to_owned()
            }
        })
    };
    view! {
        <h3>"Percentiles"</h3>
        <p class="verdict" data-testid="latency-verdict">{told}</p>
        <h4>"This device " {origin(Origin::Measured)}</h4>
        {move || match here.get() {
            Some(lines) => grid("here", lines).into_any(),
            None => view! { <p class="placeholder">"Nothing measured yet."</p> }.into_any(),
        }}
        {categories(app)}
        <h4>"Simulated cloud " {origin(Origin::Simulated)}</h4>
        {simulated(app)}
        {move || cloud.get().map(|lines| grid("cloud", lines))}
        {move || latency.other.get().map(|other| imported(&other))}
        <p class="small muted">
            "Below a percentile stands its 95 % bootstrap interval. Gaps within one answer are not independent, so those between tokens \
             have none. A dash: too few samples stand behind it; below it, how many it takes."
        </p>
    }
}

/// How many requests were simulated, of what, and how long that took.
fn simulated(app: App) -> impl IntoView {
    move || {
        app.latency.cloud.get().map(|runs| view! {
            <p class="small muted" data-testid="simulated-count" data-value=raw(Some(runs.took_ms))>
                {format!(
                    "{} requests of {} tokens on average, {}, an assumed {BYTES_PER_TOKEN} bytes a token sent; {}; computed in {} ms.",
                    format::count(runs.answers.len() as f64),
                    format::decimal(runs.output_tokens, 0),
                    if runs.assumed { "an assumed size until something is measured" } else { "of the sizes measured here" },
                    runs.label,
                    format::decimal(runs.took_ms, 0),
                )}
                {(runs.label != app.race.label()).then_some(" Being simulated anew …")}
            </p>
        })
    }
}

/// Another device's samples, or this one's from before.
fn imported(other: &Imported) -> impl IntoView + use<> {
    match other {
        Imported::Measured(export) => {
            side("other", Origin::Measured, "Imported ", &export.context, export).into_any()
        }
        Imported::Simulated(export) => {
            side("other", Origin::Simulated, "Imported ", &export.context, export).into_any()
        }
    }
}

fn side<O: stats::Origin>(
    key: &'static str,
    mark: Origin,
    title: &'static str,
    context: &Context,
    export: &Export<O>,
) -> impl IntoView + use<O>
where
    for<'a> Tag: From<&'a O>,
{
    let place = [&context.model, &context.backend, &context.device, &context.browser, &context.build]
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    view! {
        <h4>{title} {origin(mark)}</h4>
        <p class="small muted" data-testid="other-place">{place} "; " {stamp(context.at_unix_ms)}</p>
        {grid(key, lines(&export.summary(), SEED))}
    }
}

fn grid(key: &'static str, lines: [Line; 4]) -> impl IntoView {
    let head = LEVELS.map(|p| view! { <th scope="col">{format!("P{}", format::plain(100.0 * p))}</th> });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Percentiles">
            <table class="percentiles" data-testid=format!("percentiles-{key}")>
                <thead>
                    <tr><th scope="col">"ms"</th><th scope="col">"Samples"</th><th scope="col">"Mean"</th>{head}</tr>
                </thead>
                <tbody>{lines.into_iter().map(|line| row(key, line)).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(key: &'static str, line: Line) -> impl IntoView {
    let name = format!("{key}-{}", line.key);
    let mean = line.mean;
    view! {
        <tr>
            <th scope="row">{line.label}</th>
            <td class="num" data-testid=format!("{name}-samples") data-value=line.samples.to_string()>{format::count(line.samples as f64)}</td>
            <td class="num" data-testid=format!("{name}-mean") data-value=raw(mean)>{mean.map_or(format::NONE.to_owned(), digits)}</td>
            {LEVELS.into_iter().zip(line.cells).map(|(p, cell)| percentile(&name, p, cell)).collect_view()}
        </tr>
    }
}

fn percentile(name: &str, p: f64, cell: Cell) -> impl IntoView + use<> {
    let below = match (cell.value, cell.interval) {
        (Some(_), Some((low, high))) => format!("{} to {}", digits(low), digits(high)),
        (Some(_), None) => String::new(),
        (None, _) => format!("from {}", format::count(cell.needs as f64)),
    };
    view! {
        <td class="num" class:too-few=cell.value.is_none() data-testid=format!("{name}-p{}", format::plain(100.0 * p)) data-value=raw(cell.value)>
            {cell.value.map_or(format::NONE.to_owned(), digits)}
            <span class="interval">{below}</span>
        </td>
    }
}

/// As many digits as a browser's clock is good for.
fn digits(ms: f64) -> String {
    format::decimal(ms, if ms < 100.0 { 1 } else { 0 })
}

fn categories(app: App) -> impl IntoView {
    let means = Memo::new(move |_| {
        let answers: Vec<(_, Metrics)> = app
            .latency
            .answers()
            .into_iter()
            .filter_map(|(category, answer)| Some((category, answer?)))
            .collect();
        (!answers.is_empty()).then(|| by_category(&answers))
    });
    let cells = |testid: String, [first, rate]: Means| {
        let told =
            |value: Option<f64>| value.map_or(format::NONE.to_owned(), |value| format::decimal(value, 1));
        view! {
            <td class="num" data-testid=format!("{testid}-first") data-value=raw(first)>{told(first)}</td>
            <td class="num" data-testid=format!("{testid}-rate") data-value=raw(rate)>{told(rate)}</td>
        }
    };
    move || {
        means.get().map(|(each, all)| view! {
        <div class="scroll" tabindex="0" role="region" aria-label="By category">
            <table data-testid="categories">
                <thead><tr><th scope="col">"Means, measured"</th><th scope="col">"First token, ms"</th><th scope="col">"Tokens/s after it"</th></tr></thead>
                <tbody>
                    {each.into_iter().map(|(category, means)| view! {
                        <tr><th scope="row">{category.label()}</th>{cells(format!("category-{}", category.id()), means)}</tr>
                    }).collect_view()}
                    <tr class="marked"><th scope="row">"Geometric mean of the five"</th>{cells("category-all".to_owned(), all)}</tr>
                </tbody>
            </table>
        </div>
    })
    }
}
