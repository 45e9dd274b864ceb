//! Section 4: what it costs, from when it pays, how sure that is, and on which assumptions.

mod bills;
mod charts;
mod form;
mod ledger;
mod memory;
mod odds;
mod options;
mod panels;
mod scenarios;
mod verdict;

use economics::Deployment;
use leptos::prelude::*;

use super::parts::section_head;
use crate::state::{App, Cost};

use ledger::trace;

/// Section 4.
pub(crate) fn cost(app: App) -> impl IntoView {
    let cost = app.cost;
    cost.follow();
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
                    {odds::odds(cost)}
                    {charts::charts(cost)}
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
