//! Every line of every bill, with the inputs it comes from.

use std::sync::Arc;

use economics::{BillLine, Deployment, Payer, Report};
use leptos::prelude::*;

use crate::cost::state::cost::Cost;
use crate::cost::view::ledger::trace;
use crate::shared::money::money;
use crate::shared::parts::opened;

/// A disclosure for each deployment.
pub(super) fn bills(cost: Cost) -> impl IntoView {
    view! {
        <h3>"The whole bill"</h3>
        <p class="muted small">"Line by line over the horizon; every line names the entries it is worked out from."</p>
        {Deployment::ALL.map(|d| bill(cost, d))}
    }
}

fn bill(cost: Cost, d: Deployment) -> impl IntoView {
    let open = RwSignal::new(false);
    let total = move || cost.report.with(|r| r.as_ref().map(|r| money(r.bill(d).total.present)));
    view! {
        <details data-testid=format!("bill-{}", d.name()) on:toggle=opened(open)>
            <summary>{d.label()} ": " <span class="num">{total}</span></summary>
            {move || open.get().then(|| cost.report.get().map(|report| lines(&report, d)))}
        </details>
    }
}

fn lines(report: &Arc<Report>, d: Deployment) -> impl IntoView + use<> {
    let bill = report.bill(d).clone();
    view! {
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Table: bill of {}", d.label())>
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Line"</th>
                            <th scope="col">"Sum of payments"</th>
                            <th scope="col">"Present value"</th>
                            <th scope="col" class="words">"Paid by"</th>
                            <th scope="col" class="words">"From"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {bill.lines.iter().map(line).collect_view()}
                        <tr class="marked">
                            <th scope="row">"Operator’s total"</th>
                            <td>{money(bill.total.undiscounted)}</td>
                            <td data-testid=format!("total-{}", d.name())>{money(bill.total.present)}</td>
                            <td></td>
                            <td></td>
                        </tr>
                    </tbody>
                </table>
            </div>
    }
}

fn line(line: &BillLine) -> impl IntoView + use<> {
    let payer = match line.line.payer {
        Payer::Operator => "operator",
        Payer::Users => "users (assumed, not free)",
    };
    view! {
        <tr>
            <th scope="row">{line.line.label}</th>
            <td>{money(line.total.undiscounted)}</td>
            <td>{money(line.total.present)}</td>
            <td class="words">{payer}</td>
            <td class="words">{trace(line.line.inputs.iter().collect())}</td>
        </tr>
    }
}
