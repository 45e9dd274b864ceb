//! Section 3: many answers measured here, as many simulated for a cloud, and what a load does to this device.

use leptos::prelude::*;

use super::{exports, objectives, runner, soak, table, views};
use crate::app::App;
use crate::shared::parts::section_head;

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
