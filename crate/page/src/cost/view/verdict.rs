//! The answer in sentences, and the figures behind it.

use std::sync::Arc;

use economics::{Bill, BreakEvenVolumes, Comparison, Deployment, Report, Verdict, count};
use leptos::prelude::*;

use crate::cost::state::cost::Cost;
use crate::cost::view::ledger::trace;
use crate::shared::money::{money, percent};
use crate::shared::origin::Origin;
use crate::shared::parts::{icon, origin, raw};

/// Sentence, threshold, warnings and tiles.
pub(super) fn verdict(cost: Cost) -> impl IntoView {
    let stale = move || cost.case().problems.with(|problems| !problems.is_empty());
    view! {
        <h3>"The verdict"</h3>
        {move || stale().then(|| view! {
            <p class="flag-line" role="status">"An entry needs correcting; this is the result of the last valid ones."</p>
        })}
        {move || cost.report.get().map(|report| view! {
            <p class="verdict" data-testid="decision" data-value=chosen(&report)>{report.decision.sentence.clone()}</p>
            {warnings(&report)}
        })}
        {focus(cost)}
        {move || cost.report.get().map(|report| beside(&report, cost.focus.get()))}
    }
}

fn chosen(report: &Report) -> &'static str {
    report.decision.best.map_or("none", Deployment::name)
}

fn warnings(report: &Arc<Report>) -> impl IntoView + use<> {
    let warnings = report.warnings.clone();
    warnings
        .into_iter()
        .map(|warning| view! {
            <div class="notice" data-testid="warning">{icon("warn")} <div>{warning.sentence} {trace(vec![warning.key])}</div></div>
        })
        .collect_view()
}

/// One deployment beside the cloud.
fn beside(report: &Report, deployment: Deployment) -> Option<impl IntoView + use<>> {
    let comparison = *report.comparison(deployment)?;
    let keys = keys([report.bill(Deployment::Cloud), report.bill(deployment)]);
    Some(view! {
        <p data-testid="verdict" data-value=verdict_key(&comparison)>{comparison.sentence(&report.scenario)}</p>
        <p data-testid="threshold">{comparison.threshold_sentence(&report.scenario)}</p>
        <dl class="metrics">{tiles(report, &comparison)}</dl>
        <p class="muted small">
            {origin(Origin::Assumed)} ". Worked out from the entries: " {report.convention.clone()} ". " {trace(keys)}
        </p>
    })
}

/// Every input behind these bills, once.
fn keys(bills: [&Bill; 2]) -> Vec<&'static str> {
    let mut keys = vec!["finance.horizon", "finance.hurdle_rate"];
    for key in bills.iter().flat_map(|bill| &bill.lines).flat_map(|line| line.line.inputs.iter()) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn verdict_key(comparison: &Comparison) -> String {
    let name = comparison.deployment.name();
    match comparison.verdict {
        Verdict::Cheaper => format!("{name}-cheaper"),
        Verdict::MoreExpensive => "cloud-cheaper".to_owned(),
        Verdict::Equal => "equal".to_owned(),
    }
}

/// From when, how much, and how sure of it one may be.
fn tiles(report: &Report, c: &Comparison) -> impl IntoView + use<> {
    view! {
        {thresholds(report, c)}
        {amounts(report, c)}
        {measures(report, c)}
    }
}

fn thresholds(report: &Report, c: &Comparison) -> impl IntoView + use<> {
    let month = c.break_even_present.month;
    let floor = c.floor_volume.map(|v| v.0);
    let over = format!("requests a month, over {} months", report.scenario.finance.horizon.0);
    let first = c.break_even_volume_present.first.map(|v| v.0);
    let note = steps(&c.break_even_volume_present).unwrap_or(over);
    let in_words = month.map_or("never".to_owned(), |month| format!("month {}", count(f64::from(month))));
    [
        tile("tipping-volume", "Tipping point", first, break_even_volume(&c.break_even_volume_present), note),
        tile("break-even-month", "Break-even", month.map(f64::from), in_words, "at your volume".to_owned()),
        tile("floor-volume", "Floor", floor, volume(floor), "requests a month; below it, never".to_owned()),
    ]
}

fn amounts(report: &Report, c: &Comparison) -> impl IntoView + use<> {
    let over = format!("over {} months", report.scenario.finance.horizon.0);
    let share = c.saving_share.map_or(String::new(), |share| format!("{} of the cloud bill", percent(share)));
    let [cloud, other, saving] = [c.cloud.present, c.other.present, c.saving.present];
    [
        tile("cost-cloud", "Cloud API", Some(cloud.0), money(cloud), over.clone()),
        tile(
            &format!("cost-{}", c.deployment.name()),
            c.deployment.label(),
            Some(other.0),
            money(other),
            over,
        ),
        tile("saving", "Saving", Some(saving.0), money(saving), share),
    ]
}

fn measures(report: &Report, c: &Comparison) -> impl IntoView + use<> {
    let users = report.bill(c.deployment).paid_by_users.present;
    let ratio = c.ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    let yearly = c.irr.map_or("–".to_owned(), |irr| percent(irr.yearly));
    let monthly = c.irr.map(|irr| format!("a year; {} a month", percent(irr.monthly)));
    let monthly = monthly.unwrap_or("no return within reason".to_owned());
    let close = "below 1.5 the inputs are not known well enough to tell".to_owned();
    let assumed = "electricity: assumed, in no total, and not free".to_owned();
    [
        tile("ratio", "Dearer ÷ cheaper", c.ratio, ratio, close),
        tile("users-pay", "Users pay", Some(users.0), money(users), assumed),
        tile("irr", "Return", c.irr.map(|irr| irr.yearly), yearly, monthly),
    ]
}

fn volume(requests: Option<f64>) -> String {
    requests.map_or("none".to_owned(), count)
}

fn break_even_volume(crossings: &BreakEvenVolumes) -> String {
    match (crossings.first, crossings.cheaper_above) {
        (Some(first), _) => count(first.0),
        (None, true) => "any volume".to_owned(),
        (None, false) => "none".to_owned(),
    }
}

/// Effect of a fleet that grows in steps on the break-even volume.
fn steps(crossings: &BreakEvenVolumes) -> Option<String> {
    let last = crossings.last.filter(|_| crossings.count > 1)?;
    let times = crossings.count;
    Some(format!("requests a month: first of {times} crossings, the last at {}", count(last.0)))
}

fn tile(
    testid: &str,
    label: &'static str,
    value: Option<f64>,
    text: String,
    note: String,
) -> impl IntoView + use<> {
    view! {
        <div class="metric">
            <dt>{label}</dt>
            <dd class="num metric-value assumed" data-testid=testid.to_owned() data-value=raw(value)>{text}</dd>
            <dd class="metric-note">{note}</dd>
        </div>
    }
}

/// Which deployment stands beside the cloud in the figures below.
fn focus(cost: Cost) -> impl IntoView {
    let others = Deployment::ALL.into_iter().filter(|d| *d != Deployment::Cloud);
    view! {
        <fieldset class="choices" data-testid="focus">
            <legend>"Beside the cloud"</legend>
            {others.map(|deployment| view! {
                <label class="choice">
                    <input
                        type="radio"
                        name="focus"
                        data-testid=format!("focus-{}", deployment.name())
                        prop:checked=move || cost.focus.get() == deployment
                        on:change=move |_| cost.focus.set(deployment)
                    />
                    <span>{deployment.label()}</span>
                </label>
            }).collect_view()}
        </fieldset>
    }
}
