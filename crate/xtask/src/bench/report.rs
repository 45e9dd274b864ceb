//! The figures as a table, as JSON, and as BENCHMARKS.md.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::machine::About;
use super::samples::{Sample, Spread};
use crate::catalogue::Model;
use crate::paths::Paths;
use crate::step::note;

/// Characters that two engines' greedy answers must begin with in common. The same weights give the same
/// likeliest tokens until two candidates lie closer than the engines' rounding.
const COMMON: usize = 24;

/// One engine's figures.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) engine: String,
    pub(crate) place: String,
    pub(crate) threads: u32,
    pub(crate) load_ms: f64,
    pub(crate) prefill: Spread,
    pub(crate) decode: Spread,
    pub(crate) samples: Vec<Sample>,
}

impl Row {
    pub(crate) fn new(engine: &str, place: &str, threads: u32, load_ms: f64, samples: Vec<Sample>) -> Self {
        let spread = |rate: fn(&Sample) -> f64| Spread::of(samples.iter().map(rate).collect());
        Self {
            engine: engine.to_string(),
            place: place.to_string(),
            threads,
            load_ms,
            prefill: spread(|sample| sample.prefill),
            decode: spread(|sample| sample.decode),
            samples,
        }
    }

    /// Fast figures of a wrong answer are worth nothing: every round must have answered the same, at length.
    pub(crate) fn check(&self, prompt: u32, answer: u32) -> Result<()> {
        let Self { engine, samples, .. } = self;
        for sample in samples {
            ensure!(sample.prompt == prompt, "{engine} read {} prompt tokens, not {prompt}", sample.prompt);
            ensure!(
                sample.tokens == answer,
                "{engine} answered {} tokens, not {answer}: {}",
                sample.tokens,
                sample.text
            );
            ensure!(
                sample.text == samples[0].text,
                "{engine} answered differently in two rounds, though greedy"
            );
        }
        Ok(())
    }
}

/// What the engines' greedy answers have in common at their beginning; an error if that is too little.
pub(crate) fn agreement(rows: &[Row]) -> Result<String> {
    let texts: Vec<&str> = rows.iter().map(|row| row.samples[0].text.trim_start()).collect();
    let common = texts.iter().skip(1).fold(texts[0], |common, text| {
        let same = common.char_indices().zip(text.chars()).find(|((_, a), b)| a != b);
        &common[..same.map_or(common.len().min(text.len()), |((at, _), _)| at)]
    });
    ensure!(common.len() >= COMMON, "the engines' greedy answers part at once:\n{}", texts.join("\n---\n"));
    Ok(common.to_string())
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) about: About,
    pub(crate) model: Model,
    pub(crate) options: String,
    /// What all greedy answers begin with.
    pub(crate) agreement: String,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// Prints the table; writes bench.json below the target directory, and BENCHMARKS.md.
    pub(crate) fn write(&self, paths: &Paths) -> Result<()> {
        let json = paths.target.join("bench.json");
        std::fs::write(&json, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("could not write {}", json.display()))?;
        let markdown = paths.root.join("BENCHMARKS.md");
        std::fs::write(&markdown, self.markdown()).context("could not write BENCHMARKS.md")?;
        println!("{}", self.table());
        println!("{}", self.ratios());
        note(format!("samples: {}; page: BENCHMARKS.md", json.display()));
        Ok(())
    }

    fn table(&self) -> String {
        let mut table = String::from(
            "| engine | where | threads | prefill tok/s (least to most) | decode tok/s (least to most) | load s |\n\
             |---|---|---|---|---|---|\n",
        );
        for Row { engine, place, threads, load_ms, prefill, decode, .. } in &self.rows {
            let rate = |s: &Spread| format!("{:.1} ({:.1} to {:.1})", s.median, s.least, s.most);
            let (prefill, decode, load) = (rate(prefill), rate(decode), load_ms / 1e3);
            let _ = writeln!(table, "| {engine} | {place} | {threads} | {prefill} | {decode} | {load:.1} |");
        }
        table
    }

    /// Our first row against each other one, from this run.
    fn ratios(&self) -> String {
        let ours = &self.rows[0];
        let against = self.rows.iter().skip(1).map(|peer| {
            let ratio = |ours: &Spread, peer: &Spread| ours.median / peer.median;
            format!(
                "- {} in a tab, 1 thread, against {} ({}, threads: {}): decode {:.2} times, prefill {:.2} times.",
                ours.engine,
                peer.engine,
                peer.place,
                peer.threads,
                ratio(&ours.decode, &peer.decode),
                ratio(&ours.prefill, &peer.prefill)
            )
        });
        against.collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        let Self { about, model, options, agreement, rows } = self;
        let rounds = rows[0].samples.len();
        let (table, ratios) = (self.table(), self.ratios());
        let prompt = rows[0].samples[0].prompt;
        let answer = rows[0].samples[0].tokens;
        format!(
            "# Benchmarks\n\n\
             Written by `cargo xtask bench`; edit `crate/xtask/src/bench/report.rs` instead. Every figure is measured, \
             on one machine, on one day. Figures move by some per cent from run to run, and with whatever else the \
             machine does: compare only what stands in one table.\n\n\
             ## {name}, greedy, {prompt} prompt tokens, {answer} answer tokens\n\n\
             {table}\nMedian of {rounds} rounds after one that warms up; in brackets the least and the most.\n\n\
             {ratios}\n\n\
             ## How they were made\n\n\
             - Command: `{options}`, {date}, commit {commit}.\n\
             - Machine: {processor}, {cores} cores, memory {memory}, {system}.\n\
             - Versions: {browser} (headless), {wllama}, {rust}.\n\
             - File, the same for every engine: `{file}`, {bytes} bytes, sha256 `{sha256}`.\n\
             - In the tab both engines are loaded in one page and answer in turns, in changing order. Nibble is driven \
               through its own worker and messages, as the page does it; wllama through its documented interface with \
               one thread and no layer on a GPU. Both are timed on the page's clock by when tokens arrive.\n\
             - *Prefill* is prompt tokens over the time from asking to the first token. *Decode* is the tokens after \
               the first over the time since the first, so with {prompt} to {most} tokens of context. Before each \
               answer the engine reads another short prompt, so that no part of this one but its first marks is cached.\n\
             - *Load* is one sample: in the tab it includes fetching the file from this machine (Nibble also checks \
               its SHA-256 and keeps it in the browser's storage), in the process reading it from disk.\n\
             - llama.cpp as a process is compiled on this machine, for its processor, without its AMX kernels (which \
               some virtual machines do not allow), and timed inside the process.\n\
             - The answers are checked: every engine counts the same prompt tokens, each gives the same text in every \
               round, and all begin with the same words: “{agreement}”.\n",
            name = model.name,
            date = about.date,
            commit = about.commit,
            processor = about.processor,
            cores = about.cores,
            memory = about.memory,
            system = about.system,
            browser = about.browser,
            wllama = about.wllama,
            rust = about.rust,
            file = model.file,
            bytes = model.bytes,
            sha256 = model.sha256,
            most = prompt + answer,
        )
    }
}
