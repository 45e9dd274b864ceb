//! The figures of `--gpu` as a section of BENCHMARKS.md and as JSON.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use xtask::catalogue::Model;
use xtask::paths::Paths;
use xtask::step::note;

use crate::document::{self, Section};
use crate::machine::About;
use crate::samples::{Sample, Spread};

/// The section with names in braces for what a run fills in.
const SECTION: &str = include_str!("../text/gpu.md");

/// Said wherever figures of a software adapter stand.
const SOFTWARE: &str = "**software adapter: for correctness and ratios, not for speed**";

/// One engine's figures.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    pub(crate) engine: String,
    pub(crate) prefill: Spread,
    pub(crate) decode: Spread,
    pub(crate) samples: Vec<Sample>,
}

impl Side {
    /// `samples`: at least one, each of two tokens at least.
    pub(crate) fn new(engine: String, samples: Vec<Sample>) -> Result<Self> {
        let prefill = Spread::of(samples.iter().map(|sample| sample.prefill));
        let decode = Spread::of(samples.iter().filter_map(|sample| sample.decode));
        let none = || format!("{engine} was not measured");
        Ok(Self { prefill: prefill.with_context(none)?, decode: decode.with_context(none)?, engine, samples })
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct GpuReport {
    pub(crate) about: About,
    pub(crate) command: String,
    pub(crate) model: Model,
    pub(crate) adapter: String,
    pub(crate) software: bool,
    pub(crate) variant: String,
    /// Tokens that both greedy answers begin with.
    pub(crate) common: usize,
    /// Ours, the peer's.
    pub(crate) rows: [Side; 2],
    /// What a token of ours costs, as `nibble bench` says it.
    pub(crate) costs: Value,
}

impl GpuReport {
    /// Prints the table; writes this run's part of bench.json and of BENCHMARKS.md.
    pub(crate) fn write(&self, paths: &Paths) -> Result<()> {
        let json = document::merge(paths, &json!({ "gpu": self }))?;
        document::write_page(paths, |page| Section::Gpu.replace(page, &self.markdown()))?;
        println!("{}\n{}", self.table(), self.ratios());
        note(format!("samples: {}; page: BENCHMARKS.md", json.display()));
        Ok(())
    }

    fn table(&self) -> String {
        let mut table = String::from(
            "| engine | prefill tok/s (least to most) | decode tok/s (least to most) |\n|---|---|---|\n",
        );
        for Side { engine, prefill, decode, .. } in &self.rows {
            let rate = |s: &Spread| format!("{:.2} ({:.2} to {:.2})", s.median, s.least, s.most);
            let _ = writeln!(table, "| {engine} | {} | {} |", rate(prefill), rate(decode));
        }
        table
    }

    fn ratios(&self) -> String {
        let [ours, peer] = &self.rows;
        format!(
            "Nibble against llama.cpp: decode {:.2} times, prefill {:.2} times.",
            ours.decode.median / peer.decode.median,
            ours.prefill.median / peer.prefill.median
        )
    }

    /// A number of `costs`, or a dash.
    fn cost(&self, key: &str, factor: f64, digits: usize) -> String {
        self.costs[key].as_f64().map_or("–".to_owned(), |value| format!("{:.digits$}", value * factor))
    }

    fn kernels(&self) -> String {
        let rows = self.costs["kernels"].as_array().into_iter().flatten();
        let told = rows.filter_map(|row| {
            Some(format!("{} {:.2}", row["kernel"].as_str()?, row["ms_per_token"].as_f64()?))
        });
        let told: Vec<String> = told.collect();
        if told.is_empty() { "this adapter has no timestamps".to_owned() } else { told.join(", ") }
    }

    fn markdown(&self) -> String {
        let Self { about, command, model, adapter, software, variant, common, rows, .. } = self;
        let Sample { prompt, tokens, .. } = rows[0].samples[0];
        let label = if *software { SOFTWARE } else { "a GPU" };
        let facts: [(&str, String); 24] = [
            ("adapter", adapter.clone()),
            ("label", label.to_owned()),
            ("model", model.name.clone()),
            ("file", model.file.clone()),
            ("sha256", model.sha256.clone()),
            ("prompt", prompt.to_string()),
            ("answer", tokens.to_string()),
            ("common", common.to_string()),
            ("rounds", rows[0].samples.len().to_string()),
            ("table", self.table()),
            ("ratios", self.ratios()),
            ("variant", variant.clone()),
            ("dispatches", self.cost("dispatches_per_token", 1.0, 1)),
            ("passes", self.cost("passes_per_token", 1.0, 2)),
            ("submits", self.cost("submits_per_token", 1.0, 2)),
            ("readback", self.cost("readback_bytes_per_token", 1.0, 0)),
            ("rate", self.cost("gigabytes_per_s", 1.0, 1)),
            ("copy", self.cost("copy_gigabytes_per_s", 1.0, 1)),
            ("share", self.cost("share_of_copy", 100.0, 0)),
            ("kernels", self.kernels()),
            ("command", command.clone()),
            ("day", format!("{}, commit {}", about.date, about.commit)),
            ("machine", format!("{}, {} cores, {}", about.processor, about.cores, about.system)),
            ("rust", about.rust.clone()),
        ];
        let fill = |page: String, (name, fact): &(&str, String)| page.replace(&format!("{{{name}}}"), fact);
        facts.iter().fold(SECTION.to_owned(), fill)
    }
}
