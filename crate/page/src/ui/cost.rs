//! Section 3: what it costs, from when it pays, and on which assumptions.

use economics::{Report, Verdict, count, share, usd};
use leptos::prelude::*;

use super::chart::{Shown, chart};
use super::cost_form::cost_form;
use super::parts::{Origin, origin, section_head};
use crate::costing;
use crate::state::{App, Cost};

/// Section 3.
pub(crate) fn cost(app: App) -> impl IntoView {
    let cost = app.cost;
    view! {
        <section id="cost" class="section" aria-labelledby="cost-title">
            {section_head(
                "cost-title",
                "3",
                "Cost",
                "A cloud service is paid per request and grows with use. The edge, that is devices of your own, costs \
                 most at the start. Put in your own figures to see where the two meet.",
            )}
            <div class="columns columns-form">
                {cost_form(cost)}
                <div class="card outcome">
                    <h3>"The verdict"</h3>
                    {verdict(cost)}
                    {charts(cost)}
                    {discrepancy()}
                </div>
            </div>
        </section>
    }
}

fn verdict(cost: Cost) -> impl IntoView {
    let stale = move || cost.problems.with(|problems| !problems.is_empty());
    move || {
        cost.report.get().map(|report| {
            view! {
                <p class="verdict" data-testid="verdict" data-value=verdict_key(report.verdict)>{report.sentence()}</p>
                <p data-testid="threshold">{report.threshold_sentence()}</p>
                {move || stale().then(|| view! {
                    <p class="flag-line">"An entry needs correcting; this is the result of the last valid ones."</p>
                })}
                <dl class="metrics">{numbers(&report)}</dl>
                <p class="muted small">
                    {origin(Origin::Assumed)} ". Worked out from the entries: " {economics::CONVENTION} "."
                </p>
            }
        })
    }
}

fn verdict_key(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::EdgeCheaper => "edge-cheaper",
        Verdict::CloudCheaper => "cloud-cheaper",
        Verdict::Equal => "equal",
    }
}

fn numbers(report: &Report) -> impl IntoView + use<> {
    let months = report.scenario.horizon.0;
    let per_month = |volume: Option<economics::RequestsPerMonth>| {
        (volume.map(|v| v.0), volume.map_or("none".to_owned(), |v| count(v.0)))
    };
    let (tipping, tipping_text) = per_month(report.tipping_volume);
    let (floor, floor_text) = per_month(report.floor_volume);
    let month = report.break_even.month;
    let saving = report.saving_share.map_or(String::new(), |s| format!("{} of the cloud bill", share(s)));
    [
        tile(
            "tipping-volume",
            "Tipping point",
            tipping,
            tipping_text,
            format!("requests a month, over {months} months"),
        ),
        tile(
            "break-even-month",
            "Break-even",
            month.map(f64::from),
            month.map_or("never".to_owned(), |month| format!("month {}", count(f64::from(month)))),
            "at your volume".to_owned(),
        ),
        tile("floor-volume", "Floor", floor, floor_text, "requests a month; below it, never".to_owned()),
        tile("cost-cloud", "Cloud", Some(report.cloud.0), usd(report.cloud), format!("over {months} months")),
        tile(
            "cost-edge",
            "Own devices",
            Some(report.edge.0),
            usd(report.edge),
            format!("over {months} months"),
        ),
        tile("saving", "Saving", Some(report.saving.0), usd(report.saving), saving),
    ]
}

fn tile(
    testid: &'static str,
    label: &'static str,
    value: Option<f64>,
    text: String,
    note: String,
) -> impl IntoView + use<> {
    view! {
        <div class="metric">
            <dt>{label}</dt>
            <dd class="num metric-value assumed" data-testid=testid data-value=super::parts::raw(value)>{text}</dd>
            <dd class="metric-note">{note}</dd>
        </div>
    }
}

fn charts(cost: Cost) -> impl IntoView {
    let of = move |read: fn(&Report) -> String| {
        Memo::new(move |_| cost.report.with(|r| r.as_ref().map(read)).unwrap_or_default())
    };
    let months = Shown {
        testid: "chart-months",
        title: "Paid so far, month by month",
        sentence: of(months_sentence),
        chart: Memo::new(move |_| cost.report.with(|r| r.as_ref().map(costing::months_chart))),
        table: Memo::new(move |_| cost.report.with(|r| r.as_ref().map(costing::months_table))),
    };
    let volume = Shown {
        testid: "chart-volume",
        title: "Paid over the horizon, by volume",
        sentence: of(volume_sentence),
        chart: Memo::new(move |_| cost.report.with(|r| r.as_ref().map(costing::volume_chart))),
        table: Memo::new(move |_| cost.report.with(|r| r.as_ref().map(costing::volume_table))),
    };
    view! {
        {chart(cost, months)}
        {chart(cost, volume)}
    }
}

fn months_sentence(report: &Report) -> String {
    let horizon = report.scenario.horizon.0;
    match report.break_even.month {
        Some(month) if month <= horizon => {
            format!(
                "The edge starts at {} and has cost no more than the cloud from month {month} on.",
                usd(start(report))
            )
        }
        Some(month) => format!(
            "The edge starts at {}; it would catch up in month {}, after the {horizon} months shown.",
            usd(start(report)),
            count(f64::from(month))
        ),
        None => "At this volume the cloud stays cheaper: upkeep alone costs as much as the cloud, or more."
            .to_owned(),
    }
}

fn start(report: &Report) -> economics::Usd {
    economics::Usd(report.scenario.capex.0 + report.scenario.engineering.0)
}

fn volume_sentence(report: &Report) -> String {
    match report.tipping_volume {
        Some(tipping) => format!(
            "The cloud’s bill grows with volume, the edge costs the same until its hardware is full; they meet at {} \
             requests a month. Whether the hardware can carry that volume is not checked here.",
            count(tipping.0)
        ),
        None => "With a cloud that charges nothing, no volume makes the edge cheaper.".to_owned(),
    }
}

/// Where the source article contradicts its own formula.
fn discrepancy() -> impl IntoView {
    let found = economics::seed_discrepancy();
    view! {
        <details data-testid="discrepancy">
            <summary>
                {format!("The article this example comes from says {} where its formula gives {}", share(found.article), share(found.formula))}
            </summary>
            <p>{found.note}</p>
        </details>
    }
}
