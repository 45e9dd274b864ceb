//! The figures under the answer: each with its unit, its meaning and its origin.

use leptos::prelude::*;

use crate::app::App;
use crate::run::model::recording::{Figures, p90_needs};
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::{origin, raw};

/// One figure: raw value, text, and a line of explanation below it.
struct Tile {
    testid: &'static str,
    label: &'static str,
    value: Option<f64>,
    text: String,
    note: String,
}

fn tiles(figures: &Figures) -> [Tile; 6] {
    let known = |value: Option<f64>, show: fn(f64) -> String| value.map_or(format::NONE.to_owned(), show);
    let tile = |testid, label, value, show, note: String| Tile {
        testid,
        label,
        value,
        text: known(value, show),
        note,
    };
    let tokens: fn(f64) -> String = |count| format::counted(count as u32, "token", "tokens");
    let speed: fn(f64) -> String = |speed| format!("{} tok/s", format::decimal(speed, 1));
    let reused = figures.reused_tokens.map_or(String::new(), |reused| match reused {
        0 => "all of them read now".to_owned(),
        reused => format!("{reused} of them kept from before"),
    });
    let written = format::counted(figures.tokens, "token", "tokens");
    let memory = figures.memory_bytes.map(|bytes| bytes as f64);
    let prompt = figures.prompt_tokens.map(f64::from);
    [
        tile(
            "metric-ttft",
            "Time to first token",
            figures.ttft_ms,
            format::ms,
            "from the press of Generate".into(),
        ),
        tile("metric-itl", "Between tokens, median", figures.itl_median_ms, format::ms, p90(figures)),
        tile("metric-tps", "Speed", figures.tokens_per_second, speed, "after the first token".into()),
        tile("metric-e2e", "End to end", figures.total_ms, format::ms, written),
        tile(
            "metric-memory",
            "Engine memory, peak",
            memory,
            format::bytes,
            "the worker’s WebAssembly memory".into(),
        ),
        tile("metric-prompt-tokens", "Prompt", prompt, tokens, reused),
    ]
}

/// The 90th percentile, or why it is not told.
fn p90(figures: &Figures) -> String {
    match figures.itl_p90_ms {
        Some(p90) => format!("90 % within {}, {} gaps", format::ms(p90), figures.gaps),
        None if figures.gaps == 0 => format!("90th percentile from {} gaps", p90_needs()),
        None => format!("{} gaps; 90th percentile needs {}", figures.gaps, p90_needs()),
    }
}

/// The figures of the present or last answer.
pub(crate) fn metrics(app: App) -> impl IntoView {
    let figures = app.chat.figures;
    let moved = move || app.chat.recording.with(|recording| recording.moved);
    let hidden = move || app.chat.recording.with(|recording| recording.hidden);
    view! {
        <div class="metrics-head">
            <h4>"This answer"</h4>
            {origin(Origin::Measured)}
        </div>
        <dl class="metrics">
            {move || figures.with(tiles).map(tile).into_iter().collect_view()}
        </dl>
        <span class="visually-hidden" data-testid="metric-itl-p90" data-value=move || raw(figures.get().itl_p90_ms)></span>
        <span class="visually-hidden" data-testid="metric-reused-tokens" data-value=move || figures.get().reused_tokens.map(|n| n.to_string())></span>
        {move || moved().then(|| view! {
            <p class="muted small" data-testid="moved-figures">"These figures span two backends: the GPU until it failed, then the processor, with the time to change over."</p>
        })}
        {move || hidden().then(|| view! {
            <p class="muted small" data-testid="hidden-run">"The tab was in the background for part of this answer; browsers slow such tabs down, so the figures may be too high."</p>
        })}
    }
}

fn tile(tile: Tile) -> impl IntoView {
    view! {
        <div class="metric" class:empty=tile.value.is_none()>
            <dt>{tile.label}</dt>
            <dd class="num metric-value" data-testid=tile.testid data-value=raw(tile.value)>{tile.text}</dd>
            <dd class="metric-note">{tile.note}</dd>
        </div>
    }
}
