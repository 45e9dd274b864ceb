//! One scenario, or two side by side: where each began, and what they come to.

use std::sync::Arc;

use economics::{Deployment, Report};
use leptos::prelude::*;

use crate::cost::model::presets::presets;
use crate::cost::state::cost::{Case, Cost};
use crate::shared::money::{money, percent};
use crate::shared::parts::icon;

const NAMES: [&str; 2] = ["Scenario A", "Scenario B"];

/// The bar above the form, and the table of both scenarios.
pub(super) fn scenarios(cost: Cost) -> impl IntoView {
    view! {
        <div class="card scenarios">
            <div class="scenario-bar">
                {preset(cost)}
                {move || if cost.comparing.get() { tabs(cost).into_any() } else { offer(cost).into_any() }}
            </div>
            <p class="muted small" data-testid="preset-story">{move || presets()[cost.case().preset.get()].story.as_str()}</p>
            {move || cost.comparing.get().then(|| side_by_side(cost))}
        </div>
    }
}

fn preset(cost: Cost) -> impl IntoView {
    view! {
        <label class="field inline" for="cost-preset">
            <span>"Begin with"</span>
            <select
                id="cost-preset"
                data-testid="cost-preset"
                on:change:target=move |event| {
                    if let Ok(preset) = event.target().value().parse() {
                        cost.case().start_from(preset);
                    }
                }
            >
                {presets().iter().enumerate().map(|(index, preset)| view! {
                    <option value=index prop:selected=move || cost.case().preset.get() == index>{preset.name.as_str()}</option>
                }).collect_view()}
            </select>
        </label>
        <button type="button" class="quiet" data-testid="cost-reset" on:click=move |_| cost.reset()>
            {icon("again")} "Its figures again"
        </button>
    }
}

fn offer(cost: Cost) -> impl IntoView {
    view! {
        <button type="button" class="quiet" data-testid="cost-compare" on:click=move |_| cost.compare()>
            {icon("new")} "Compare with a second scenario"
        </button>
    }
}

fn tabs(cost: Cost) -> impl IntoView {
    view! {
        <div class="segments" role="group" aria-label="Scenario that is edited and shown">
            {NAMES.into_iter().enumerate().map(|(index, name)| view! {
                <button
                    type="button"
                    data-testid=format!("case-{index}")
                    aria-pressed=move || (cost.shown.get() == index).to_string()
                    on:click=move |_| cost.shown.set(index)
                >
                    {name}
                </button>
            }).collect_view()}
        </div>
        <button type="button" class="quiet" data-testid="cost-single" on:click=move |_| cost.stop_comparing()>
            {icon("cross")} "Only A"
        </button>
    }
}

/// A row of the comparison: its name, and what it reads from a report.
type Row = (&'static str, fn(&Report, Deployment) -> String);

const ROWS: [Row; 8] = [
    ("Choice", |r, _| r.decision.best.map_or("none feasible".to_owned(), |best| best.label().to_owned())),
    ("Volume, requests a month", |r, _| economics::count(r.scenario.demand.requests_per_month.0)),
    ("Horizon, months", |r, _| r.scenario.finance.horizon.0.to_string()),
    ("Cloud API, present value", |r, _| money(r.bill(Deployment::Cloud).total.present)),
    ("Deployment, present value", |r, d| money(r.bill(d).total.present)),
    ("Saving beside the cloud", |r, d| r.comparison(d).map_or_else(String::new, |c| money(c.saving.present))),
    ("Saving, share of the cloud", |r, d| {
        let share = r.comparison(d).and_then(|c| c.saving_share);
        share.map_or("–".to_owned(), percent)
    }),
    ("Break-even", |r, d| {
        let month = r.comparison(d).and_then(|c| c.break_even_present.month);
        month.map_or("never".to_owned(), |month| format!("month {month}"))
    }),
];

fn side_by_side(cost: Cost) -> impl IntoView {
    let cell = move |case: Case, read: fn(&Report, Deployment) -> String| {
        let text = move |report: &Option<Arc<Report>>| report.as_ref().map(|r| read(r, cost.focus.get()));
        move || case.report.with(text).unwrap_or_else(|| "–".to_owned())
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Table: both scenarios">
            <table data-testid="side-by-side">
                <caption class="small">
                    "Both scenarios, with " {move || cost.focus.get().label()} " beside the cloud"
                </caption>
                <thead>
                    <tr><th scope="col">"Figure"</th>{NAMES.map(|name| view! { <th scope="col">{name}</th> })}</tr>
                </thead>
                <tbody>
                    {ROWS.map(|(name, read)| view! {
                        <tr>
                            <th scope="row">{name}</th>
                            {cost.cases.map(|case| view! { <td>{cell(case, read)}</td> })}
                        </tr>
                    })}
                </tbody>
            </table>
        </div>
    }
}
