//! Section 3: many answers measured here, as many simulated for a cloud, and what a load does to this device.

mod exports;
mod forward;
mod objectives;
mod runner;
mod soak;
mod table;
mod views;

use leptos::prelude::*;

use super::parts::section_head;
use crate::state::App;

/// Section 3.
pub(crate) fn latency(app: App) -> impl IntoView {
    view! {
        <section id="latency" class="section" aria-labelledby="latency-title">
            {section_head(
                "latency-title",
                "3",
                "Latency",
                "One answer says little. Measure many on this device, see how they spread beside as many simulated \
                 requests, and whether they keep a promise you would make to your users.",
            )}
            <div class="card outcome">{runner::runner(app)}</div>
            <div class="card outcome">
                {table::table(app)}
                {views::views(app)}
            </div>
            <div class="card outcome">{objectives::objectives(app)}</div>
            <div class="card outcome">{soak::soak(app)}</div>
            <div class="card outcome">{exports::exports(app)}</div>
        </section>
    }
}
