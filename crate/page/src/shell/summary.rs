//! The strip that stays in view: backend and why, speed, first token here and in the cloud, break-even.

use leptos::prelude::*;

use crate::app::App;
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::{origin, raw};

/// The strip.
pub(crate) fn summary(app: App) -> impl IntoView {
    view! {
        <section class="summary" aria-label="Summary">
            <dl class="summary-inner">
                {backend(app)}
                {speed(app)}
                {first_token(app)}
                {break_even(app)}
            </dl>
        </section>
    }
}

fn backend(app: App) -> impl IntoView {
    let name = Memo::new(move |_| app.backend().0);
    let reason = Memo::new(move |_| app.backend().1);
    view! {
        <div class="summary-cell">
            <dt>"Backend"</dt>
            <dd data-testid="backend" data-value=move || name.get()>{move || name.get()}</dd>
            <dd class="summary-note" title=move || reason.get()>{move || reason.get()}</dd>
        </div>
    }
}

fn speed(app: App) -> impl IntoView {
    let speed = Memo::new(move |_| app.chat.figures.get().tokens_per_second);
    view! {
        <div class="summary-cell">
            <dt>"Speed"</dt>
            <dd class="value-measured" data-testid="summary-tps" data-value=move || raw(speed.get())>
                {move || speed.get().map_or(format::NONE.to_owned(), |v| format!("{} tok/s", format::decimal(v, 1)))}
            </dd>
            <dd class="summary-note">
                {move || if speed.get().is_some() { origin(Origin::Measured).into_any() } else { "no answer yet".into_any() }}
            </dd>
        </div>
    }
}

fn first_token(app: App) -> impl IntoView {
    let here = Memo::new(move |_| app.chat.figures.get().ttft_ms);
    let cloud =
        Memo::new(move |_| app.race.cloud.with(|c| c.as_ref().ok().map(|(timeline, _)| timeline.ttft)));
    let ms = |value: Option<f64>| value.map_or(format::NONE.to_owned(), format::ms);
    view! {
        <div class="summary-cell">
            <dt>"First token"</dt>
            <dd>
                <span class="value-measured" data-testid="summary-ttft" data-value=move || raw(here.get())>
                    {move || ms(here.get())}
                </span>
                <span class="versus">"here | cloud"</span>
                <span class="value-simulated" data-testid="summary-cloud-ttft" data-value=move || raw(cloud.get())>
                    {move || ms(cloud.get())}
                </span>
            </dd>
            <dd class="summary-note" title=move || app.race.label()>
                {move || here.get().map(|_| view! { {origin(Origin::Measured)} " | " })}
                <span class="origin origin-simulated">{move || app.race.short_label()}</span>
            </dd>
        </div>
    }
}

fn break_even(app: App) -> impl IntoView {
    let month = Memo::new(move |_| {
        let focus = app.cost.focus.get();
        app.cost.report.with(|r| r.as_ref()?.comparison(focus)?.break_even_present.month)
    });
    view! {
        <div class="summary-cell">
            <dt>"Break-even"</dt>
            <dd data-testid="summary-break-even" data-value=move || month.get().map(|m| m.to_string())>
                {move || month.get().map_or("never".to_owned(), |m| format!("month {}", format::count(f64::from(m))))}
            </dd>
            <dd class="summary-note">{move || app.cost.focus.get().label()} ", " {origin(Origin::Assumed)}</dd>
        </div>
    }
}
