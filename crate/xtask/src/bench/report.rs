//! The figures as a table, as JSON, and as BENCHMARKS.md.

use std::fmt::{Display, Write};

use anyhow::{Result, ensure};
use serde::Serialize;

use super::document;
use super::machine::About;
use super::samples::{Sample, Spread};
use crate::catalogue::Model;
use crate::paths::Paths;
use crate::step::note;

/// BENCHMARKS.md with names in braces for what a run fills in.
const PAGE: &str = include_str!("../../bench/page.md");

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
    pub(crate) browser: String,
    pub(crate) wllama: String,
    pub(crate) model: Model,
    pub(crate) options: String,
    /// What all greedy answers begin with.
    pub(crate) agreement: String,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// Prints the table; writes bench.json below the target directory, and BENCHMARKS.md.
    pub(crate) fn write(&self, paths: &Paths) -> Result<()> {
        let json = document::merge(paths, &serde_json::to_value(self)?)?;
        document::write_page(paths, |old| self.markdown(document::gpu_section(old)))?;
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

    fn markdown(&self, gpu: &str) -> String {
        let Self { about, browser, wllama, model, options, agreement, rows } = self;
        let Sample { prompt, tokens, .. } = &rows[0].samples[0];
        let facts: [(&str, &dyn Display); 22] = [
            ("gpu", &gpu),
            ("model", &model.name),
            ("file", &model.file),
            ("bytes", &model.bytes),
            ("sha256", &model.sha256),
            ("prompt", prompt),
            ("answer", tokens),
            ("most", &(prompt + tokens)),
            ("rounds", &rows[0].samples.len()),
            ("table", &self.table()),
            ("ratios", &self.ratios()),
            ("agreement", agreement),
            ("command", options),
            ("date", &about.date),
            ("commit", &about.commit),
            ("processor", &about.processor),
            ("cores", &about.cores),
            ("memory", &about.memory),
            ("system", &about.system),
            ("browser", browser),
            ("wllama", wllama),
            ("rust", &about.rust),
        ];
        let fill = |page: String, (name, fact): &(&str, &dyn Display)| {
            page.replace(&format!("{{{name}}}"), &fact.to_string())
        };
        facts.iter().fold(PAGE.to_string(), fill)
    }
}

#[cfg(test)]
mod tests {
    use super::{About, Report, Row, agreement};
    use crate::bench::samples::{Sample, check};
    use crate::catalogue;

    fn row(engine: &str, decode: f64, text: &str) -> Row {
        let sample = Sample { prefill: 2.0 * decode, decode, text: text.into(), prompt: 128, tokens: 64 };
        Row::new(engine, "Chromium tab", 1, 1_500.0, vec![sample.clone(), sample])
    }

    fn report() -> Report {
        let text = "a text that is long enough to agree";
        let unknown = || "unknown".to_string();
        let about = About {
            date: "2026-01-02".into(),
            commit: unknown(),
            processor: unknown(),
            cores: 2,
            memory: unknown(),
            system: unknown(),
            rust: unknown(),
        };
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/catalogue.toml");
        let model = catalogue::read(path.as_ref()).unwrap().remove(0);
        let rows = vec![row("Nibble", 30.0, text), row("peer", 10.0, text)];
        let (options, agreement) = ("cargo xtask bench".into(), text.into());
        Report { about, browser: unknown(), wllama: unknown(), model, options, agreement, rows }
    }

    #[test]
    fn the_page_is_filled_in_whole() {
        let page = report().markdown("");
        assert!(!page.contains('{') && !page.contains('}'), "{page}");
        assert!(page.contains("decode 3.00 times, prefill 3.00 times"), "{page}");
        assert!(
            page.contains("| peer | Chromium tab | 1 | 20.0 (20.0 to 20.0) | 10.0 (10.0 to 10.0) | 1.5 |"),
            "{page}"
        );
    }

    #[test]
    fn answers_that_differ_are_no_benchmark() {
        let long = "The quick brown fox jumps over the lazy dog";
        let rows = |second: &str| [row("a", 1.0, long), row("b", 1.0, second)];
        assert_eq!(
            agreement(&rows(&long.replace("lazy", "tired"))).unwrap(),
            "The quick brown fox jumps over the "
        );
        assert!(agreement(&rows("The quick red fox")).unwrap_err().to_string().contains("part at once"));
        let samples = row("a", 1.0, long).samples;
        assert!(check("a", &samples, 128, 64).is_ok());
        let refused = check("a", &samples, 127, 64).unwrap_err().to_string();
        assert!(refused.contains("128 prompt tokens, not 127"), "{refused}");
    }
}
