//! Workings of three of the bills: the edge's servers, the browsers' downloads, and the books.

use std::sync::Arc;

use economics::{Capacity, Depreciation, Downloads, FleetBasis, Report, count};
use leptos::prelude::*;

use crate::cost::state::cost::Cost;
use crate::cost::view::ledger::trace;
use crate::shared::format::decimal;
use crate::shared::money::{money, percent};
use crate::shared::origin::Origin;
use crate::shared::parts::origin;

/// All three.
pub(super) fn panels(cost: Cost) -> impl IntoView {
    view! {
        <div class="notes-grid panels">
            {move || cost.report.get().map(|report| view! {
                {capacity(&report)}
                {downloads(&report)}
                {books(&report.depreciation)}
            })}
        </div>
    }
}

/// A row of a panel: what, how much, and a note.
fn row(testid: &'static str, what: &'static str, value: String, note: &'static str) -> impl IntoView {
    view! {
        <div class="panel-row">
            <dt>{what}</dt>
            <dd class="num" data-testid=testid>{value}</dd>
            <dd class="metric-note">{note}</dd>
        </div>
    }
}

fn capacity(report: &Arc<Report>) -> Option<impl IntoView + use<>> {
    let c: Capacity = report.edge_capacity?;
    let verified = match c.basis {
        FleetBasis::Sized => "The fleet is sized to the peak.",
        FleetBasis::Fixed => {
            "Capacity unverified: the hardware is as entered. This is what the load would need."
        }
    };
    let device = c.device_cost;
    Some(view! {
        <article class="panel" data-testid="panel-capacity">
            <h3>"Servers for the load"</h3>
            <p class="small">{verified} " " {origin(Origin::Assumed)}</p>
            <dl>
                {row("devices-needed", "Devices needed", count(c.devices_needed.0), "peak load ÷ utilisation cap, rounded up")}
                {row("devices-by-waiting", "By waiting", count(c.devices_by_waiting.0), "Erlang C: few enough wait too long; a check, not a forecast")}
                {row("peak-load", "Busy at the peak", decimal(c.peak_load, 1), "devices; arrivals a second × seconds a request × peak")}
                {row("waiting", "Waiting too long", percent(c.waiting.0), "of requests at the peak, with the devices needed")}
                {row("spares", "Spares", count(c.spares.0), "bought at the start, for the failures expected")}
                {device.map(|d| row("highest-price", "Dearest device", money(d.highest_price), "at this price or above no volume makes the edge cheaper"))}
            </dl>
            {trace(vec!["demand.requests_per_month", "demand.output_tokens", "demand.peak_factor", "edge.tokens_per_second", "edge.utilisation_cap", "edge.wait_limit", "edge.wait_share", "edge.failures_per_year"])}
        </article>
    })
}

fn downloads(report: &Arc<Report>) -> Option<impl IntoView + use<>> {
    let d: Downloads = report.browser_downloads?;
    let per_download = |value: Option<f64>| value.map_or("–".to_owned(), |value| decimal(value, 1));
    Some(view! {
        <article class="panel" data-testid="panel-downloads">
            <h3>"Downloads of the model"</h3>
            <p class="small">
                "In the browser, hardware costs nothing and every fetch of the model does. " {origin(Origin::Assumed)}
            </p>
            <dl>
                {row("answered-per-download", "Queries per download", per_download(d.answered_per_download), "answered in the tab for each fetch: the key figure")}
                {row("break-even-per-download", "Break-even", per_download(d.break_even), "queries per download at which a fetch costs what the cloud would")}
                {row("downloads", "Downloads", count(d.per_month), "a month: new users, and those whose browser dropped the model")}
                {row("gigabytes-moved", "Moved", format!("{} GB", count(d.moved.0)), "a month")}
                {row("download-cost", "Content network", money(economics::Usd(d.cost.0)), "a month")}
                {row("users-energy", "Users’ electricity", money(economics::Usd(d.users_energy.0 * 1000.0)), "for 1,000 answers; assumed, since browsers have no power sensor")}
            </dl>
            {trace(vec!["demand.requests_per_user", "demand.new_users", "browser.evicted", "browser.download", "browser.cdn_usd_per_gb", "browser.coverage", "browser.active_power", "finance.tariff"])}
        </article>
    })
}

fn books(d: &Depreciation) -> impl IntoView + use<> {
    let macrs: Vec<String> = d.macrs.iter().map(|year| money(*year)).collect();
    view! {
        <article class="panel" data-testid="panel-books">
            <h3>"For the books"</h3>
            <p class="small">"Depreciation is not cash: none of this is in any total. " {origin(Origin::Assumed)}</p>
            <dl>
                {row("straight-line", "Straight line", money(economics::Usd(d.straight_line.0)), "a month")}
                <div class="panel-row">
                    <dt>"MACRS, year by year"</dt>
                    <dd class="metric-note" data-testid="macrs">{macrs.join(" · ")} " (IRS Pub. 946, table A-1)"</dd>
                </div>
                {row("shield-macrs", "Tax shield, MACRS", money(d.macrs_shield), "present value")}
                {row("shield-straight", "Tax shield, straight line", money(d.straight_line_shield), "present value, five years")}
                {row("annuity", "Annuity charge", money(economics::Usd(d.annuity.0)), "a month, residual value taken off")}
            </dl>
            {trace(vec!["edge.capex", "edge.residual", "finance.book_life", "finance.tax_rate", "finance.hurdle_rate"])}
        </article>
    }
}
