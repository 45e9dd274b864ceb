//! What a decoded token costs: bytes against the machine's bandwidth, and time by stage.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use crate::bandwidth::Bandwidth;
use crate::engines::{Engine, Maker};
use crate::report::Report;
use crate::rounds::PROFILED;
use crate::samples::Spread;

/// What our worker says about a token on the processor; part of `protocol::Benched`.
#[derive(Debug, Deserialize)]
struct CpuCosts {
    stages: Vec<Stage>,
    /// Weights as packed, and cache.
    bytes_per_token: u64,
}

/// A part of a token's time.
#[derive(Clone, Debug, Deserialize)]
struct Stage {
    name: String,
    /// ms a token.
    ms: f64,
    /// Whether it multiplies with weights.
    product: bool,
}

/// The stages of one engine, with the page's wait beside them; and the page's whole interval, ms a token.
struct Profile {
    stages: Vec<Stage>,
    bytes: u64,
    interval: f64,
}

/// Medians over the rounds.
fn profile_of(report: &Report, id: &str) -> Option<Profile> {
    let costs = |benched: &Value| serde_json::from_value::<CpuCosts>(benched.get("cpu")?.clone()).ok();
    let rounds: Vec<CpuCosts> = report.of(id)?.profiles.iter().filter_map(costs).collect();
    let first = rounds.first()?;
    let median = |at: usize| Spread::of(rounds.iter().filter_map(|costs| Some(costs.stages.get(at)?.ms)));
    let of_round = first.stages.iter().enumerate();
    let medians = of_round.filter_map(|(at, stage)| Some(Stage { ms: median(at)?.median, ..stage.clone() }));
    let mut stages: Vec<Stage> = medians.collect();
    let interval = 1e3 / report.of(id)?.decode(PROFILED.0)?.median;
    let engine: f64 = stages.iter().map(|stage| stage.ms).sum();
    let name = "messages and event loop".to_owned();
    stages.push(Stage { name, ms: (interval - engine).max(0.0), product: false });
    Some(Profile { stages, bytes: first.bytes_per_token, interval })
}

/// The stage that takes most beside the matrix products, and its share of a token.
pub(crate) fn largest_other(report: &Report, id: &str) -> Option<(String, f64)> {
    let Profile { stages, interval, .. } = profile_of(report, id)?;
    let others = stages.into_iter().filter(|stage| !stage.product);
    let stage = others.max_by(|a, b| a.ms.total_cmp(&b.ms))?;
    Some((stage.name, stage.ms / interval))
}

/// Where a token's time goes, one column an engine of ours.
pub(crate) fn profile(report: &Report) -> String {
    let told = |engine: &Engine| Some((engine.clone(), profile_of(report, &engine.id)?));
    let profiles: Vec<(Engine, Profile)> = report.engines.iter().filter_map(told).collect();
    let Some((_, first)) = profiles.first() else {
        return "This build of the engine does not take a token's time apart.\n".to_owned();
    };
    let names = profiles.iter().map(|(engine, _)| format!("{}, threads: {}", engine.name, engine.threads));
    let names = names.collect::<Vec<_>>().join(" | ");
    let mut table = format!("| ms a token (share) | {names} |\n|{}\n", "---|".repeat(profiles.len() + 1));
    for Stage { name, .. } in &first.stages {
        let cell = |(_, profile): &(Engine, Profile)| {
            let ms = profile.stages.iter().find(|stage| stage.name == *name).map_or(0.0, |stage| stage.ms);
            format!("{ms:.3} ({:.1} %)", 100.0 * ms / profile.interval)
        };
        let cells: Vec<String> = profiles.iter().map(cell).collect();
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    }
    let whole: Vec<String> = profiles.iter().map(|(_, p)| format!("{:.3}", p.interval)).collect();
    let _ = writeln!(table, "| between two tokens on the page | {} |", whole.join(" | "));
    table
}

/// Decoding against reading: one line an engine and context.
pub(crate) fn roofline(report: &Report) -> String {
    let mut lines = String::new();
    for bandwidth in &report.bandwidth {
        let Bandwidth { threads, tab, native } = bandwidth;
        let _ = writeln!(
            lines,
            "- Threads: {threads}: read at {tab:.1} GB/s in a tab, {native:.1} GB/s natively."
        );
    }
    lines.push('\n');
    lines.push_str(
        "| engine | threads | context | MB a token | limit tok/s | reached |\n|---|---|---|---|---|---|\n",
    );
    for engine in &report.engines {
        let Some(limit) = report.bandwidth.iter().find(|b| b.threads == engine.threads) else { continue };
        let rate = if engine.maker == Maker::Llama { limit.native } else { limit.tab };
        for workload in report.amount.workloads() {
            let decode = report.of(&engine.id).and_then(|figures| figures.decode(workload.prompt));
            let Some(decode) = decode.filter(|_| workload.shows_decode()) else { continue };
            // The cache in the middle of the answer.
            let context = workload.prompt + workload.answer.most() / 2;
            let bytes = report.reads.weights + report.reads.cache_per_position * u64::from(context);
            let limit = rate * 1e9 / bytes as f64;
            let Engine { name, threads, .. } = engine;
            let megabytes = bytes as f64 / 1e6;
            let share = 100.0 * decode.median / limit;
            let _ = writeln!(
                lines,
                "| {name} | {threads} | {context} | {megabytes:.1} | {limit:.0} | {share:.0} % |"
            );
        }
    }
    let packed = report.engines.iter().find_map(|engine| profile_of(report, &engine.id));
    if let Some(Profile { bytes, .. }) = packed {
        let megabytes = bytes as f64 / 1e6;
        let _ =
            writeln!(lines, "\nAs packed, a token of Nibble's reads {megabytes:.1} MB of weights and cache.");
    }
    lines
}
