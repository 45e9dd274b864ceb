//! Section 4: what it costs, from when it pays, how sure that is, and on which assumptions.

use leptos::prelude::*;

use super::{bills, charts, form, ledger, memory, options, panels, scenarios, uncertainty, verdict};
use crate::app::App;
use crate::shared::parts::section_head;

/// Section 4.
pub(crate) fn cost(app: App) -> impl IntoView {
    let cost = app.cost;
    cost.follow(app.charts);
    app.tell_what_is_known();
    view! {
        <section id="cost" class="section" aria-labelledby="cost-title">
            {section_head(
                "cost-title",
                "4",
                "Cost",
                "A cloud service is paid per request and grows with use. Servers of your own cost most at the start, \
                 browsers cost a download each. Put in your own figures to see where they meet, how sure that is, and \
                 what would change the answer.",
            )}
            {scenarios::scenarios(cost)}
            <div class="card outcome">{options::options(cost)}</div>
            <div class="columns columns-form">
                {form::form(app)}
                <div class="card outcome">
                    {verdict::verdict(cost)}
                    {uncertainty::uncertainty(cost)}
                    {charts::charts(cost, app.charts)}
                </div>
            </div>
            <div class="card outcome">
                {panels::panels(cost)}
                {bills::bills(cost)}
            </div>
            <div class="card outcome">{memory::memory(app)}</div>
            <div class="card outcome">{ledger::ledger(cost)}</div>
        </section>
    }
}
