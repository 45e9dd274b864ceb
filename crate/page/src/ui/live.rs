//! The race as it runs: two streams, token by token, and what each of them waits for.

use leptos::prelude::*;

use super::parts::{Origin, icon, origin};
use super::waterfall::waterfall;
use crate::format;
use crate::race;
use crate::state::App;

/// The button, and the two streams while an answer comes.
pub(crate) fn live(app: App) -> impl IntoView {
    let running = Memo::new(move |_| app.live.now.with(Option::is_some));
    let streams = move || {
        running.get().then(|| {
            view! {
                <div class="live" data-testid="live-race">
                    {here(app)}
                    {cloud(app)}
                </div>
            }
        })
    };
    view! {
        <div class="buttons">
            <button type="button" data-testid="race" disabled=move || !app.can_generate() on:click=move |_| app.generate()>
                {icon("play")} "Race: answer the prompt above"
            </button>
            <span class="small muted">
                {move || app.model.loaded.with(Option::is_none).then_some("Load the model first.")}
            </span>
        </div>
        {streams}
    }
}

fn now(app: App) -> f64 {
    app.live.now.get().unwrap_or_default()
}

/// Both sides are drawn to one scale, which grows with the time.
fn scale(app: App) -> f64 {
    now(app).max(app.live.cloud.with(|cloud| cloud.as_ref().map_or(0.0, |lane| lane.ttft)))
}

fn here(app: App) -> impl IntoView {
    let tokens = move || app.chat.recording.with(|recording| recording.arrivals.len());
    let lane = move || app.chat.recording.with(|recording| race::here_so_far(recording, now(app)));
    view! {
        <div class="stream">
            <h4>"This device " {origin(Origin::Measured)}</h4>
            <p class="stream-count num" data-testid="live-here" data-value=move || tokens().to_string()>
                {move || format::counted(tokens() as u32, "token", "tokens")}
            </p>
            <p class="ticks" aria-hidden="true">{move || ticks(tokens())}</p>
            {move || app.chat.running.with(Option::is_some).then(|| waterfall(&lane(), scale(app), "measured"))}
        </div>
    }
}

fn cloud(app: App) -> impl IntoView {
    let sent = move || app.live.sent(now(app));
    let lane = move || app.live.cloud.with(|cloud| cloud.as_ref().map(|lane| lane.so_far(now(app))));
    view! {
        <div class="stream">
            <h4>"Cloud " {origin(Origin::Simulated)}</h4>
            <p class="stream-count num" data-testid="live-cloud" data-value=move || sent().to_string()>
                {move || format!("{}, simulated: times without words", format::counted(sent() as u32, "token", "tokens"))}
            </p>
            <p class="ticks" aria-hidden="true">{move || ticks(sent())}</p>
            {move || lane().map(|lane| waterfall(&lane, scale(app), "simulated"))}
        </div>
    }
}

/// A mark a token.
fn ticks(count: usize) -> String {
    "▪".repeat(count.min(400))
}
