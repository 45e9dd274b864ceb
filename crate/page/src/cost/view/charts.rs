//! Cumulative cost, cost by volume, tornado and waterfall, each with its sentence and its table.

use economics::{Deployment, Report, count, usd};
use leptos::prelude::*;

use crate::charts::bars::{Bars, tornado, waterfall};
use crate::charts::chart::{Shown, chart};
use crate::charts::code::ChartCode;
use crate::cost::model::drawings;
use crate::cost::state::cost::Cost;

/// Meaning of the ranges of the line charts.
const SHADED: &str = "Shaded, for the cloud and the option beside it: from the 10th to the 90th percentile of the \
                      trials. Lines: the entries themselves.";

/// All four.
pub(super) fn charts(cost: Cost, code: ChartCode) -> impl IntoView {
    let months = Shown {
        testid: "chart-months",
        title: "Paid so far, month by month",
        sentence: of(cost, months_sentence),
        chart: drawn(cost, move |r, focus| drawings::months_chart(r, focus, &cost.trials.by_month.get())),
        table: drawn(cost, drawings::months_table),
    };
    let volume = Shown {
        testid: "chart-volume",
        title: "Paid over the horizon, by volume",
        sentence: of(cost, volume_sentence),
        chart: drawn(cost, move |r, focus| drawings::volume_chart(r, focus, &cost.trials.by_volume.get())),
        table: drawn(cost, drawings::volume_table),
    };
    let swings = Bars {
        testid: "chart-tornado",
        title: "Which inputs matter",
        sentence: of(cost, tornado_sentence),
        data: drawn(cost, move |r, focus| {
            let uncertain = cost.case().ledger.with(|ledger| ledger.uncertain());
            drawings::tornado_chart(r, &uncertain, focus)
        }),
    };
    let steps = Bars {
        testid: "chart-waterfall",
        title: "From the cloud’s bill to the net present value",
        sentence: of(cost, waterfall_sentence),
        data: drawn(cost, drawings::waterfall_chart),
    };
    view! {
        {chart(code, months)}
        {chart(code, volume)}
        <p class="hint">{SHADED}</p>
        {tornado(swings)}
        {waterfall(steps)}
    }
}

/// Something made of the report and the deployment in focus.
fn drawn<T: PartialEq + Send + Sync + 'static>(
    cost: Cost,
    make: impl Fn(&Report, Deployment) -> T + Send + Sync + 'static,
) -> Memo<Option<T>> {
    Memo::new(move |_| {
        let focus = cost.focus.get();
        cost.report.with(|report| report.as_ref().map(|report| make(report, focus)))
    })
}

fn of(cost: Cost, sentence: fn(&Report, Deployment) -> String) -> Memo<String> {
    let told = drawn(cost, sentence);
    Memo::new(move |_| told.get().unwrap_or_default())
}

fn months_sentence(report: &Report, focus: Deployment) -> String {
    let horizon = report.scenario.finance.horizon.0;
    let name = focus.noun();
    let start = usd(economics::totals_at(&report.scenario, economics::Months(0))[focus as usize].present);
    match report.comparison(focus).and_then(|c| c.break_even_present.month) {
        Some(0) => format!("At your volume {name} costs no more than the cloud from the start."),
        Some(month) if month <= horizon => {
            format!(
                "At first {name} costs {start}; it has cost no more than the cloud from month {month} on."
            )
        }
        Some(month) => format!(
            "At first {name} costs {start}; it would catch up in month {month}, after the {horizon} months shown."
        ),
        None => format!("At first {name} costs {start}; it does not catch up with the cloud at this volume."),
    }
}

fn volume_sentence(report: &Report, focus: Deployment) -> String {
    let name = focus.noun();
    let Some(crossings) = report.comparison(focus).map(|c| c.break_even_volume_present) else {
        return String::new();
    };
    match (crossings.first, crossings.last) {
        (Some(first), Some(last)) if crossings.count > 1 => format!(
            "The hardware of {name} grows in steps, a device at a time: its cost meets the cloud’s {} times, first at {} requests a month, last \
             at {}.",
            crossings.count,
            count(first.0),
            count(last.0)
        ),
        (Some(first), _) => {
            format!("The cloud and {name} cost the same at {} requests a month.", count(first.0))
        }
        _ if crossings.cheaper_above => format!("At every volume {name} costs less than the cloud."),
        _ => format!("No volume makes {name} cheaper than the cloud."),
    }
}

fn tornado_sentence(_: &Report, focus: Deployment) -> String {
    format!(
        "Each input by itself from the low to the high end of its range, the others as entered: what {} then saves \
         beside the cloud.",
        focus.noun()
    )
}

fn waterfall_sentence(report: &Report, focus: Deployment) -> String {
    let worth = report.comparison(focus).map_or(economics::Usd(0.0), |c| c.saving.present);
    format!(
        "What the cloud would have cost, less every line of {}’s bill, leaves {}.",
        focus.label(),
        usd(worth)
    )
}
