//! Measured figures, put into the cost scenario and the decision with one click.

use leptos::prelude::*;

use crate::app::App;
use crate::shared::clock::stamp;
use crate::shared::format;
use crate::shared::parts::icon;

/// The button, once there is something to put in.
pub(super) fn forward(app: App) -> impl IntoView {
    let told = RwSignal::new(false);
    move || {
        app.measured_case().map(|case| {
            let speed = format!("{} tokens/s", format::decimal(case.tokens_per_second, 1));
            let length = format!("{} tokens an answer", format::decimal(case.output_tokens, 0));
            view! {
                <div class="buttons">
                    <button type="button" class="quiet measured-use" data-testid="feed-forward" on:click=move |_| {
                        app.feed_forward();
                        told.set(true);
                    }>
                        {icon("check")}
                        <span>"Use " <span class="value-measured">{speed}</span> ", " <span class="value-measured">{length}</span>
                        " and the percentiles in Cost and Decide"</span>
                    </button>
                    <span class="small muted" role="status">
                        {move || told.get().then(|| format!("Used; marked as measured on this device, {}.", stamp(app.latency.place.get().at_unix_ms)))}
                    </span>
                </div>
            }
        })
    }
}
