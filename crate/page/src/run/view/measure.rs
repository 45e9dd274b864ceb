//! Measuring the backend: the same greedy answer several times, and what it costs there.

use leptos::prelude::*;
use protocol::{Benched, GpuCosts, Operation};

use crate::app::App;
use crate::engine_link::names::on_software;
use crate::shared::format;
use crate::shared::origin::Origin;
use crate::shared::parts::{icon, origin, problem, raw};

/// The measurement, in a disclosure.
pub(crate) fn measure(app: App) -> impl IntoView {
    let asked = app.bench.asked();
    view! {
        <details class="measure" data-testid="bench">
            <summary>"Measure this backend"</summary>
            <p class="small muted">
                "Reads " {asked.prefill} " prompt tokens and writes " {asked.decode} ", always the best one, "
                {asked.runs} " times after a warm-up; the figures are medians. It uses the whole machine for a while."
            </p>
            {buttons(app)}
            {problem(app, &[Operation::Bench])}
            {move || app.bench.result.get().map(result)}
        </details>
    }
}

fn buttons(app: App) -> impl IntoView {
    let running = move || app.bench.running.get();
    view! {
        <div class="buttons">
            <button type="button" class:hidden=running data-testid="bench-start" disabled=move || !app.can_generate() on:click=move |_| app.start_bench()>
                {icon("play")} "Measure"
            </button>
            <button type="button" class:hidden=move || !running() data-testid="bench-stop" on:click=move |_| app.stop_bench()>
                {icon("stop")} "Stop"
            </button>
            <span class="small muted">{move || match (running(), app.model.loaded.with(Option::is_some)) {
                (true, _) => "Measuring…",
                (false, true) => "",
                (false, false) => "Load the model first.",
            }}</span>
        </div>
    }
}

/// A row of the table: test id, what, raw value, value with its unit.
type Row = (&'static str, &'static str, f64, String);

fn result(benched: Benched) -> impl IntoView {
    let mut rows = speeds(&benched);
    if let Some(gpu) = &benched.gpu {
        rows.extend(costs(gpu));
    }
    let software = on_software(&benched.backend);
    let kernels = match (benched.gpu, benched.cpu) {
        (Some(gpu), _) => Some(("GPU time of a token", gpu.kernels)),
        (None, cpu) => cpu.map(|cpu| {
            let stages = cpu.stages.into_iter().map(|stage| (stage.name, stage.ms));
            ("Processor time of a token", stages.collect())
        }),
    };
    view! {
        <div data-testid="bench-result" data-backend=benched.backend.clone()>
            <p><strong>{benched.backend.clone()}</strong> " " {origin(Origin::Measured)}</p>
            {software.then(|| view! { <p class="small">{icon("warn")} " Software adapter: not a GPU’s speed."</p> })}
            <div class="scroll">
                <table class="bench-table">
                    <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
            {kernels.map(by_kernel)}
        </div>
    }
}

fn row((testid, label, value, text): Row) -> impl IntoView {
    view! {
        <tr>
            <th scope="row">{label}</th>
            <td class="num" data-testid=testid data-value=raw(Some(value))>{text}</td>
        </tr>
    }
}

fn speeds(benched: &Benched) -> Vec<Row> {
    let rate = |rate: f64| format!("{} tokens/s", format::decimal(rate, 1));
    vec![
        (
            "bench-prefill",
            "Reading the prompt",
            benched.prefill_tokens_per_s,
            rate(benched.prefill_tokens_per_s),
        ),
        ("bench-decode", "Writing", benched.decode_tokens_per_s, rate(benched.decode_tokens_per_s)),
        ("bench-ttft", "First token", benched.ttft_ms, format::ms(benched.ttft_ms)),
    ]
}

fn costs(gpu: &GpuCosts) -> Vec<Row> {
    let rate = gpu.gigabytes_per_s;
    let copy = gpu.copy_gigabytes_per_s;
    let share = if copy > 0.0 { 100.0 * rate / copy } else { f64::NAN };
    let count = |value: f64| format::decimal(value, 1);
    let speed = |value: f64| format!("{} GB/s", format::decimal(value, 1));
    let dispatches = gpu.dispatches_per_token;
    let passes = gpu.passes_per_token;
    let readback = gpu.readback_bytes_per_token;
    vec![
        ("bench-dispatches", "Kernels dispatched a token", dispatches, count(dispatches)),
        ("bench-passes", "Compute passes a token", passes, format::decimal(passes, 2)),
        ("bench-readback", "Read back a token", readback, format!("{} bytes", count(readback))),
        ("bench-bandwidth", "Weights and cache read", rate, speed(rate)),
        ("bench-copy", "Copying, read and write", copy, speed(copy)),
        ("bench-share", "Share of the copy bandwidth", share, format!("{} %", format::decimal(share, 0))),
    ]
}

/// Time of one token by kernel, or by stage.
fn by_kernel((heading, kernels): (&'static str, Vec<(String, f64)>)) -> impl IntoView {
    if kernels.is_empty() {
        return view! { <p class="small muted" data-testid="bench-kernels">"This adapter has no timestamps, so the time of each kernel is not known."</p> }
            .into_any();
    }
    let all: f64 = kernels.iter().map(|(_, ms)| ms).sum();
    view! {
        <div class="scroll" data-testid="bench-kernels">
            <table class="bench-table">
                <thead><tr><th scope="col">{heading}</th><th scope="col">"ms"</th><th scope="col">"share"</th></tr></thead>
                <tbody>
                    {kernels.into_iter().map(|(name, ms)| view! {
                        <tr>
                            <th scope="row">{name}</th>
                            <td class="num">{format::decimal(ms, 3)}</td>
                            <td class="num">{format!("{} %", format::decimal(100.0 * ms / all.max(f64::MIN_POSITIVE), 0))}</td>
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </div>
    }
    .into_any()
}
