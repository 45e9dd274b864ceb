//! The figures of a run as Markdown tables.

use std::fmt::Write;

use crate::engines::{Engine, Maker};
use crate::report::Report;
use crate::samples::Spread;

/// Said where nothing was measured.
const NONE: &str = "–";

/// Columns of the table of speeds: heading, and what of an engine's figures.
fn columns(report: &Report) -> Vec<(String, Column)> {
    let workloads = report.amount.workloads();
    let prefills = workloads.iter().map(|w| (format!("prefill {}", w.prompt), Column::Prefill(w.prompt)));
    let shown = workloads.iter().filter(|workload| workload.shows_decode());
    let decodes = shown.map(|w| (format!("decode at {}", w.prompt), Column::Decode(w.prompt)));
    prefills.chain(decodes).collect()
}

#[derive(Clone, Copy)]
enum Column {
    Prefill(u32),
    Decode(u32),
}

impl Column {
    fn of(self, report: &Report, id: &str) -> Option<Spread> {
        let figures = report.of(id)?;
        match self {
            Self::Prefill(prompt) => figures.prefill(prompt),
            Self::Decode(prompt) => figures.decode(prompt),
        }
    }
}

fn heading(first: &str, columns: impl Iterator<Item = String>) -> String {
    let columns: Vec<String> = columns.collect();
    format!("| {first} | {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len() + 1))
}

fn label(engine: &Engine) -> String {
    format!("{} | {} | {}", engine.name, engine.place(), engine.threads)
}

/// Tokens a second of every engine.
pub(crate) fn rates(report: &Report) -> String {
    let columns = columns(report);
    let names = ["where", "threads"].into_iter().map(str::to_owned);
    let mut table =
        heading("tok/s, median (least to most)", names.chain(columns.iter().map(|c| c.0.clone())));
    for engine in &report.engines {
        let cell = |(_, column): &(String, Column)| {
            column.of(report, &engine.id).map_or(NONE.to_owned(), |spread| spread.told(1))
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        let _ = writeln!(table, "| {} | {} |", label(engine), cells.join(" | "));
    }
    table
}

/// Each of our engines against each peer on as many threads: ratios of medians of this run.
pub(crate) fn ratios(report: &Report) -> String {
    let columns = columns(report);
    let names = ["against", "threads"].into_iter().map(str::to_owned);
    let mut table = heading("ratio of medians", names.chain(columns.iter().map(|c| c.0.clone())));
    for ours in report.engines.iter().filter(|engine| engine.maker == Maker::Nibble) {
        let peers = report.engines.iter().filter(|peer| peer.maker != Maker::Nibble);
        for peer in peers.filter(|peer| peer.threads == ours.threads) {
            let cell = |(_, column): &(String, Column)| {
                let ratio = column.of(report, &ours.id).zip(column.of(report, &peer.id));
                ratio.map_or(NONE.to_owned(), |(ours, peer)| format!("{:.2}", ours.median / peer.median))
            };
            let cells: Vec<String> = columns.iter().map(cell).collect();
            let cells = cells.join(" | ");
            let _ = writeln!(table, "| {} | {} | {} | {cells} |", ours.name, peer.name, ours.threads);
        }
    }
    table
}

/// From file to first token, and memory.
pub(crate) fn loads(report: &Report) -> String {
    let columns = [
        "where",
        "threads",
        "engine starts",
        "fetch and load",
        "load from storage",
        "first token",
        "memory MB",
    ];
    let mut table = heading("ms, median (least to most)", columns.into_iter().map(str::to_owned));
    for engine in &report.engines {
        let Some(figures) = report.of(&engine.id) else { continue };
        let told = |spread: Option<Spread>| spread.map_or(NONE.to_owned(), |spread| spread.told(0));
        let cells = [
            told(figures.load(|load| (load.start_ms > 0.0).then_some(load.start_ms))),
            told(figures.load(|load| load.cold_ms)),
            told(figures.load(|load| Some(load.cached_ms))),
            told(figures.load(|load| Some(load.first_ms))),
            figures.memory().map_or(NONE.to_owned(), |bytes| format!("{:.1}", bytes as f64 / 1e6)),
        ];
        let _ = writeln!(table, "| {} | {} |", label(engine), cells.join(" | "));
    }
    table
}

/// How far the greedy answers to each prompt agree.
pub(crate) fn agreement(report: &Report) -> String {
    let told = report.agreement.iter().map(|(prompt, text)| format!("{} at {prompt} tokens", text.len()));
    told.collect::<Vec<_>>().join(", ")
}
