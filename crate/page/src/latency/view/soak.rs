//! Sustained load: does this device keep its speed?

use leptos::prelude::*;

use crate::app::App;
use crate::charts::chart::{Shown, chart};
use crate::charts::drawings::{Chart, Table};
use crate::latency::model::sustained::{Load, memory, speed, verdict as soak_verdict};
use crate::latency::state::Aim;
use crate::latency::view::runner::{buttons, entry};

/// The card's content.
pub(super) fn soak(app: App) -> impl IntoView {
    let load = app.latency.load;
    let begun = Memo::new(move |_| load.with(|load| load.memory.len() > 1));
    let shown = move |testid, title, what: &'static str, make: fn(&Load) -> Option<(Chart, Table)>| {
        let both = Memo::new(move |_| load.with(|load| make(load)));
        Shown {
            testid,
            title,
            sentence: Memo::new(move |_| what.to_owned()),
            chart: Memo::new(move |_| both.get().map(|(chart, _)| chart)),
            table: Memo::new(move |_| both.get().map(|(_, table)| table)),
        }
    };
    view! {
        <h3>"Sustained load"</h3>
        <p class="muted">
            "A device that is fast for one answer may grow hot and slow. One prompt again and again, for some minutes; each whole minute is \
             compared with the first. Keep this tab in front meanwhile."
        </p>
        {buttons(app, Aim::Soak, "soak")}
        {entry("soak-minutes", "Minutes", app.latency.options.minutes)}
        {move || begun.get().then(|| view! {
            <p class="verdict" data-testid="soak-verdict">{move || load.with(|load| soak_verdict(load))}</p>
            {chart(app.charts, shown("chart-soak", "Speed over time", "Tokens per second in spans of 5 seconds, measured on this device; the table has the whole minutes.", speed))}
            {chart(app.charts, shown("chart-soak-memory", "Memory over time", "The engine’s memory after each answer, measured on this device.", memory))}
        })}
    }
}
