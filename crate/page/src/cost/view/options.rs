//! All five deployments in one table.

use std::sync::Arc;

use economics::uncertainty::Summary;
use economics::{Deployment, Outcome, Report, Share, count};
use leptos::prelude::*;

use crate::cost::state::cost::Cost;
use crate::shared::money::{money, percent};
use crate::shared::parts::raw;

/// Cost, saving, threshold, shares of the trials and gates of each.
pub(super) fn options(cost: Cost) -> impl IntoView {
    view! {
        <h3>"Every option"</h3>
        <div class="scroll" tabindex="0" role="region" aria-label="Table: every option">
            <table data-testid="options">
                <thead>
                    <tr>
                        <th scope="col">"Option"</th>
                        <th scope="col">"Present value"</th>
                        <th scope="col">"Beside the cloud"</th>
                        <th scope="col">"Cheaper above"</th>
                        <th scope="col">"Break-even"</th>
                        <th scope="col">"Cheaper than the cloud"</th>
                        <th scope="col">"Cheapest"</th>
                        <th scope="col">"Users pay"</th>
                        <th scope="col" class="words">"Requirements"</th>
                    </tr>
                </thead>
                <tbody>
                    {move || cost.report.get().map(|report| {
                        let summary = cost.trials.summary.get().map(|(summary, _)| summary);
                        Deployment::ALL.map(|d| row(&report, d, summary.as_ref(), cost.focus.get() == d))
                    })}
                </tbody>
            </table>
        </div>
        <p class="hint">
            "“Cheaper than the cloud” and “Cheapest” are shares of the trials of the Monte Carlo run below; “Cheapest” counts \
             only options that meet the requirements. What users pay is their electricity: assumed, not part of the \
             operator’s bill, and not free. \
             Each option’s bill below names the entries behind it."
        </p>
    }
}

fn row(
    report: &Arc<Report>,
    d: Deployment,
    summary: Option<&Summary>,
    marked: bool,
) -> impl IntoView + use<> {
    let bill = report.bill(d);
    let comparison = report.comparison(d);
    let share = |of: fn(&Summary) -> &[Share; 5]| {
        summary.map_or("…".to_owned(), |summary| percent(of(summary)[d as usize].0))
    };
    let cloud = d == Deployment::Cloud;
    let dash = || "–".to_owned();
    let failed = report.decision.gates.iter().find(|g| g.deployment == d && g.outcome == Outcome::Failed);
    view! {
        <tr class:marked=marked data-testid=format!("option-{}", d.name())>
            <th scope="row">{d.label()}</th>
            <td data-testid=format!("value-{}", d.name()) data-value=raw(Some(bill.total.present.0))>{money(bill.total.present)}</td>
            <td>{comparison.map_or_else(dash, |c| money(c.saving.present))}</td>
            <td>{comparison.map_or_else(dash, |c| {
                c.break_even_volume_present.first.map_or_else(|| if c.break_even_volume_present.cheaper_above { "always" } else { "never" }.to_owned(), |v| count(v.0))
            })}</td>
            <td>{comparison.map_or_else(dash, |c| {
                c.break_even_present.month.map_or("never".to_owned(), |month| format!("month {month}"))
            })}</td>
            <td>{if cloud { dash() } else { share(|s| &s.probabilities.cheaper_than_cloud) }}</td>
            <td>{share(|s| &s.probabilities.cheapest)}</td>
            <td>{if bill.paid_by_users.present.0 > 0.0 { money(bill.paid_by_users.present) } else { dash() }}</td>
            <td class="words">{failed.map_or("met".to_owned(), |gate| format!("fails: {}", gate.gate.label()))}</td>
        </tr>
    }
}
