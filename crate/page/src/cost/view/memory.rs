//! Quantisation and memory: what a scheme stores, how fast it can be read, how the cache grows.

use economics::{Bytes, DecodeRow, HARDWARE, SCHEMES, Scheme, TokensPerSecond, decode_table, memory_needed};
use leptos::prelude::*;

use crate::app::App;
use crate::shared::format::{bytes, count, decimal};
use crate::shared::money::percent;

/// Contexts whose cache is told.
const CONTEXTS: [u32; 5] = [512, 2_048, 4_096, 8_192, 32_768];

/// The panel.
pub(super) fn memory(app: App) -> impl IntoView {
    view! {
        <h3>"Memory and bandwidth"</h3>
        <p class="muted small">
            "Decoding reads every weight once a token, so bandwidth sets its ceiling. Figures of the loaded model are \
             counted from its file; the scheme table is the article’s, unverified."
        </p>
        {loaded(app)}
        {ceilings(app)}
        {schemes()}
    }
}

/// Memory that the loaded file takes.
fn loaded(app: App) -> impl IntoView {
    move || {
        match app.model.loaded.get() {
        None => view! { <p class="hint" data-testid="memory-none">"Load a model above, and its own figures stand here."</p> }.into_any(),
        Some(model) => {
            let file = model.file_bytes as f64;
            let needed = memory_needed(Bytes(file)).0;
            let bits = 8.0 * file / model.parameters.max(1) as f64;
            let per_token = model.kv_bytes_per_token as f64;
            view! {
                <dl class="metrics" data-testid="memory-loaded">
                    <div class="metric"><dt>"File"</dt><dd class="num metric-value">{bytes(file)}</dd><dd class="metric-note">{model.name.clone()}</dd></div>
                    <div class="metric"><dt>"Bits a weight"</dt><dd class="num metric-value">{decimal(bits, 2)}</dd><dd class="metric-note">{count(model.parameters as f64)} " weights; scales and the vocabulary count"</dd></div>
                    <div class="metric"><dt>"To have free"</dt><dd class="num metric-value">{bytes(needed)}</dd><dd class="metric-note">"1.5 × the weights; the engine took " {bytes(model.memory_bytes as f64)}</dd></div>
                </dl>
                <div class="scroll" tabindex="0" role="region" aria-label="Table: cache by context">
                    <table data-testid="kv-table">
                        <caption class="small">"Key-value cache by context, 16-bit; the processor’s has a scale a head beside it, 3 % more at heads of 64"</caption>
                        <thead><tr><th scope="col">"Context, tokens"</th>{CONTEXTS.map(|c| view! { <th scope="col">{count(f64::from(c))}</th> })}</tr></thead>
                        <tbody><tr><th scope="row">"Cache"</th>{CONTEXTS.map(|c| view! { <td>{bytes(per_token * f64::from(c))}</td> })}</tr></tbody>
                    </table>
                </div>
            }
            .into_any()
        }
    }
    }
}

/// Ceiling of the decode speed for named kinds of memory, beside this device's measured one.
fn ceilings(app: App) -> impl IntoView {
    let caption = move || {
        app.model.loaded.with(|loaded| match loaded {
            Some(model) => {
                format!("Most tokens a second when each reads {} once", bytes(model.file_bytes as f64))
            }
            None => "Most tokens a second when each reads the weights entered for the edge once".to_owned(),
        })
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Table: decode ceilings">
            <table data-testid="ceilings">
                <caption class="small">{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Memory"</th>
                        <th scope="col">"GB/s"</th>
                        <th scope="col">"Ceiling, tokens/s"</th>
                        <th scope="col">"Measured here ÷ ceiling"</th>
                        <th scope="col" class="words">"Source"</th>
                    </tr>
                </thead>
                <tbody>{move || ceiling_rows(app).into_iter().map(ceiling_row).collect_view()}</tbody>
            </table>
        </div>
        <p class="hint">{HARDWARE.len()} " kinds of memory; the article’s 900 GB/s for an H100 is its NVLink, not its memory."</p>
    }
}

/// For the loaded file and its measured speed; without one, for the weights in the form.
fn ceiling_rows(app: App) -> Vec<DecodeRow> {
    let file = app.model.loaded.with(|loaded| loaded.as_ref().map(|loaded| loaded.file_bytes as f64));
    let entered = app.cost.report.with(|r| r.as_ref().map(|r| r.scenario.policy.weights.0 * 1e9));
    let bench = app.bench.result.with(|result| result.as_ref().map(|r| r.decode_tokens_per_s));
    let speed = bench.or_else(|| app.chat.figures.get().tokens_per_second).filter(|_| file.is_some());
    decode_table(Bytes(file.or(entered).unwrap_or(0.0)), speed.map(TokensPerSecond))
}

fn ceiling_row(row: DecodeRow) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{row.hardware.name}</th>
            <td>{decimal(row.hardware.bandwidth.0 / 1e9, 1)}</td>
            <td>{count(row.ceiling.0)}</td>
            <td class="value-measured">{row.measured.map_or("–".to_owned(), percent)}</td>
            <td class="words">{row.hardware.source}</td>
        </tr>
    }
}

fn schemes() -> impl IntoView {
    view! {
        <details data-testid="schemes">
            <summary>"Schemes for a 7B model, as the article has them"</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="Table: quantisation schemes">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Scheme"</th>
                            <th scope="col">"GB"</th>
                            <th scope="col">"Read, claimed"</th>
                            <th scope="col">"Read, by size"</th>
                            <th scope="col">"MMLU, points"</th>
                            <th scope="col">"Speed, × FP16"</th>
                            <th scope="col">"Fits in, GB"</th>
                        </tr>
                    </thead>
                    <tbody>{SCHEMES.map(scheme)}</tbody>
                </table>
            </div>
            <p class="small muted">
                <span class="origin origin-cited">"claim"</span> " " {SCHEMES[0].source} ", " {SCHEMES[0].retrieved}
                "; unverified. Read by size is what a token really reads: 29.3 % of FP16 for Q4_K_M, where the article \
                 says 25 %."
            </p>
        </details>
    }
}

fn scheme(scheme: Scheme) -> impl IntoView {
    let span = |(low, high): (f64, f64)| {
        if low == high { decimal(low, 1) } else { format!("{} to {}", decimal(low, 1), decimal(high, 1)) }
    };
    view! {
        <tr>
            <th scope="row">{scheme.name}</th>
            <td>{decimal(scheme.size.0, 1)}</td>
            <td>{percent(scheme.claimed_bandwidth.0)}</td>
            <td>{percent(scheme.share_of_fp16().0)}</td>
            <td>{span(scheme.mmlu)}</td>
            <td>{span(scheme.speed)}</td>
            <td>{decimal(memory_needed(Bytes(scheme.size.0 * 1e9)).0 / 1e9, 2)}</td>
        </tr>
    }
}
