//! A promise to users: how often each side keeps it, and the promise as a requirement of the decision.

use latency::Ms;
use latency::objective::Slo;
use latency::stats::Metrics;
use leptos::prelude::*;

use crate::app::App;
use crate::latency::model::objectives::{Kept, kept};
use crate::latency::view::runner::entry;
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::{icon, origin, raw};

/// The card's content.
pub(super) fn objectives(app: App) -> impl IntoView {
    let presets = StoredValue::new(latency::presets::slos());
    let count = presets.with_value(Vec::len);
    let chosen = RwSignal::new(0_usize);
    let own = ["500", "100", "99"].map(|text| RwSignal::new(text.to_owned()));
    let slo = Memo::new(move |_| match chosen.get() {
        at if at < count => Ok(presets.with_value(|all| all[at].clone())),
        _ => custom(own.map(|text| text.get())),
    });
    view! {
        <h3>"A promise to your users"</h3>
        <div class="run-line">
            <label class="field inline">
                <span>"Objective"</span>
                <select data-testid="slo" on:change:target=move |event| {
                    if let Ok(at) = event.target().value().parse() {
                        chosen.set(at);
                    }
                }>
                    {presets.with_value(|all| all.iter().map(|slo| slo.label.clone()).collect::<Vec<_>>())
                        .into_iter()
                        .chain(["Your own".to_owned()])
                        .enumerate()
                        .map(|(at, label)| view! { <option value=at selected=move || chosen.get() == at>{label}</option> })
                        .collect_view()}
                </select>
            </label>
            <div class="run-line" class:hidden=move || chosen.get() < count>
                {entry("slo-ttft", "First token within, ms", own[0])}
                {entry("slo-tpot", "Each further token within, ms", own[1])}
                {entry("slo-share", "For this share of answers, %", own[2])}
            </div>
        </div>
        {move || match slo.get() {
            Err(problem) => view! { <p class="field-problem" role="alert" data-testid="slo-problem">{problem}</p> }.into_any(),
            Ok(slo) => result(app, slo).into_any(),
        }}
    }
}

/// An empty limit is none.
fn custom([ttft, tpot, share]: [String; 3]) -> Result<Slo, String> {
    let limit = |text: &str| match text.trim() {
        "" => Ok(None),
        text => match text.parse::<f64>() {
            Ok(ms) if ms > 0.0 && ms <= 1e6 => Ok(Some(Ms(ms))),
            _ => Err("A limit is a time above 0 and up to 1,000,000 ms, or empty.".to_owned()),
        },
    };
    let share = share.trim().parse::<f64>().ok().filter(|share| *share > 0.0 && *share < 100.0);
    let share = share.ok_or("The share must be above 0 and below 100 %.")?;
    let ttft = limit(&ttft)?;
    let tpot = limit(&tpot)?;
    if ttft.is_none() && tpot.is_none() {
        return Err("Without a limit there is nothing to promise.".to_owned());
    }
    Ok(Slo::custom(ttft, tpot, share / 100.0))
}

fn result(app: App, slo: Slo) -> impl IntoView {
    let here: Vec<Option<Metrics>> = app.latency.answers().into_iter().map(|(_, answer)| answer).collect();
    let here = (!here.is_empty()).then(|| kept(&slo, here.iter().map(Option::as_ref)));
    let cloud = app.latency.cloud.get().map(|runs| kept(&slo, runs.answers.iter().map(Some)));
    let used = slo.clone();
    let sources = slo.sources.clone();
    let told = RwSignal::new("");
    view! {
        <p data-testid="slo-limits">{limits(&slo)}</p>
        <div class="scroll" tabindex="0" role="region" aria-label="How often the promise is kept">
            <table>
                <thead><tr>
                    <th scope="col">"Side"</th><th scope="col">"Kept"</th><th scope="col">"Share"</th><th scope="col">"Goodput, answers/s"</th><th scope="col">"The promise"</th>
                </tr></thead>
                <tbody>
                    {row("here", "This device", Origin::Measured, here)}
                    {row("cloud", "Cloud", Origin::Simulated, cloud)}
                </tbody>
            </table>
        </div>
        <p class="small muted">"Goodput: answers that kept every limit, a second, one asked after the other."</p>
        <div class="buttons">
            <button type="button" data-testid="slo-decide" on:click=move |_| {
                app.require(&used);
                told.set("It is now the requirement on latency, in sections 4 and 5.");
            }>
                {icon("check")} "Require this in the decision"
            </button>
            <span class="small muted" role="status">{move || told.get()}</span>
        </div>
        <ul class="sources small">{sources.into_iter().map(|source| view! { <li>{source}</li> }).collect_view()}</ul>
    }
}

fn limits(slo: &Slo) -> String {
    let limit = |what: &str, ms: Option<Ms>| ms.map(|ms| format!("{what} within {}", format::ms(ms.0)));
    let parts = [limit("the first token", slo.ttft_ms), limit("each further token", slo.tpot_ms)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    format!("For {} % of answers: {}.", format::plain(100.0 * slo.share), parts.join(", "))
}

fn row(key: &'static str, side: &'static str, mark: Origin, kept: Option<Kept>) -> impl IntoView {
    let Some(kept) = kept else {
        return view! { <tr><th scope="row">{side} " " {origin(mark)}</th><td colspan="4">"No answers yet."</td></tr> }.into_any();
    };
    let met = kept.attainment.met;
    let requests = kept.attainment.requests;
    let holds = match kept.holds {
        Some(true) => "holds".to_owned(),
        Some(false) => "does not hold".to_owned(),
        None => format!("needs {} answers for a verdict", format::count(kept.needs as f64)),
    };
    let percent = kept
        .share
        .map_or(format::NONE.to_owned(), |share| format!("{} %", format::decimal(100.0 * share, 1)));
    view! {
        <tr>
            <th scope="row">{side} " " {origin(mark)}</th>
            <td class="num">{format!("{} of {}", format::count(met as f64), format::count(requests as f64))}</td>
            <td class="num" data-testid=format!("slo-share-{key}") data-value=raw(kept.share)>{percent}</td>
            <td class="num" data-testid=format!("goodput-{key}") data-value=raw(kept.goodput)>{kept.goodput.map_or(format::NONE.to_owned(), |rate| format::decimal(rate, 2))}</td>
            <td data-testid=format!("slo-holds-{key}")>{holds}</td>
        </tr>
    }
    .into_any()
}
