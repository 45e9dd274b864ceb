//! A whole run as JSON, and BENCHMARKS.md made from it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bandwidth::Bandwidth;
use super::engines::Engine;
use super::field::Chosen;
use super::machine::About;
use super::prompts::Reads;
use super::rounds::{All, Amount, Figures};
use super::samples::agreement;
use super::{bars, costs, document, field, rounds, tables};
use crate::catalogue::Model;
use crate::paths::Paths;
use crate::step::note;

/// BENCHMARKS.md with names in braces for what a run fills in.
const PAGE: &str = include_str!("../../bench/page.md");

/// What people say about the figures, as it is.
const REMARKS: &str = include_str!("../../bench/remarks.md");

/// Tokens of the prompt whose answers must agree at length.
const MAIN: u32 = 128;

/// Characters that two engines' greedy answers to that prompt must begin with in common. The same weights give the same
/// likeliest tokens until two candidates lie closer than the engines' rounding.
const COMMON: usize = 24;

/// A whole run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    pub(crate) about: About,
    pub(crate) browser: String,
    pub(crate) chosen: Chosen,
    pub(crate) wllama: String,
    pub(crate) llama: String,
    pub(crate) model: Model,
    pub(crate) command: String,
    /// The larger thread count.
    pub(crate) threads: u32,
    pub(crate) amount: Amount,
    pub(crate) engines: Vec<Engine>,
    /// What each engine says about itself.
    pub(crate) opened: BTreeMap<String, Value>,
    pub(crate) figures: All,
    /// What the greedy answers begin with, by tokens of the prompt.
    pub(crate) agreement: BTreeMap<u32, String>,
    pub(crate) reads: Reads,
    pub(crate) bandwidth: Vec<Bandwidth>,
}

/// What all engines' answers begin with; an error where they part at once or an engine contradicts itself.
pub(crate) fn agreements(amount: Amount, engines: &[Engine], all: &All) -> Result<BTreeMap<u32, String>> {
    let mut agreed = BTreeMap::new();
    for workload in amount.workloads() {
        let mut texts = Vec::new();
        for (id, samples) in engines
            .iter()
            .filter_map(|engine| Some((&engine.id, all.get(&engine.id)?.answers.get(&workload.prompt)?)))
        {
            super::samples::check(id, samples, workload.prompt, workload.answer)?;
            texts.extend(samples.first().map(|sample| sample.text.as_str()));
        }
        let least = if workload.prompt == MAIN { COMMON } else { 0 };
        agreed.insert(workload.prompt, agreement(&texts, least)?.to_owned());
    }
    Ok(agreed)
}

impl Report {
    /// The last whole run.
    pub(crate) fn read(paths: &Paths) -> Result<Self> {
        let path = paths.target.join("bench.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("there is no {}; run: cargo xtask bench", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{} is of another version; run: cargo xtask bench", path.display()))
    }

    /// What the ids of the build begin with that the page takes on this machine.
    pub(crate) fn chosen(&self) -> Option<&str> {
        let taken = |engine: &&Engine| engine.build.as_ref() == Some(&self.chosen.build);
        self.engines.iter().find(taken)?.id.rsplit_once('-').map(|(build, _)| build)
    }

    /// An engine's figures; none if it took no part.
    pub(crate) fn of(&self, id: &str) -> Option<&Figures> {
        self.figures.get(id)
    }

    /// Bytes of the KV cache that every engine had, in halves.
    pub(crate) fn cache_bytes(&self) -> u64 {
        self.reads.cache_per_position * u64::from(field::CONTEXT)
    }

    /// Prints the tables; writes bench.json below the target directory, and BENCHMARKS.md.
    pub(crate) fn write(&self, paths: &Paths) -> Result<()> {
        let json = document::merge(paths, &serde_json::to_value(self)?)?;
        self.print();
        note(format!("samples: {}", json.display()));
        self.write_page(paths)
    }

    /// For a run that is not whole: prints the tables; its JSON lies beside that of whole ones.
    pub(crate) fn write_apart(&self, paths: &Paths) -> Result<()> {
        let path = paths.target.join("bench-part.json");
        std::fs::write(&path, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("could not write {}", path.display()))?;
        self.print();
        note(format!("not a whole run: BENCHMARKS.md stays as it is; samples: {}", path.display()));
        Ok(())
    }

    /// BENCHMARKS.md from this run, with what other runs wrote into it.
    pub(crate) fn write_page(&self, paths: &Paths) -> Result<()> {
        document::write_page(paths, |old| self.markdown(document::gpu_section(old)))?;
        note("page: BENCHMARKS.md");
        Ok(())
    }

    fn print(&self) {
        for part in [tables::rates(self), tables::ratios(self), tables::loads(self)] {
            println!("{part}");
        }
        println!("{}\n{}\n{}", bars::table(self), costs::roofline(self), costs::profile(self));
    }

    fn markdown(&self, gpu: &str) -> String {
        let facts = self.facts().into_iter().chain([("remarks", REMARKS.trim_end().to_owned())]);
        let page =
            facts.fold(PAGE.to_owned(), |page, (name, fact)| page.replace(&format!("{{{name}}}"), &fact));
        page.replace("{gpu}", gpu)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let Self { about, browser, wllama, llama, model, command, .. } = self;
        let agreed = self.agreement.get(&MAIN).map_or("", String::as_str);
        vec![
            ("model", model.name.clone()),
            ("file", model.file.clone()),
            ("bytes", model.bytes.to_string()),
            ("sha256", model.sha256.clone()),
            ("context", field::CONTEXT.to_string()),
            ("rounds", self.amount.rounds.to_string()),
            ("long_rounds", self.amount.rounds.min(rounds::LONG_ROUNDS).to_string()),
            ("chosen", self.chosen.build.clone()),
            ("chosen_reason", self.chosen.reason.clone()),
            ("rates", tables::rates(self)),
            ("ratios", tables::ratios(self)),
            ("loads", tables::loads(self)),
            ("bars", bars::table(self)),
            ("roofline", costs::roofline(self)),
            ("profile", costs::profile(self)),
            ("agreement", agreed.trim_end().to_owned()),
            ("common", tables::agreement(self)),
            ("command", command.clone()),
            ("date", about.date.clone()),
            ("commit", about.commit.clone()),
            ("processor", about.processor.clone()),
            ("cores", about.cores.to_string()),
            ("memory", about.memory.clone()),
            ("system", about.system.clone()),
            ("browser", browser.clone()),
            ("wllama", wllama.clone()),
            ("llama", llama.clone()),
            ("rust", about.rust.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Report;
    use crate::bench::engines;
    use crate::catalogue;

    fn engine(decode: f64) -> Value {
        let sample = |prompt: u32| {
            json!({ "prefill": 2.0 * decode, "decode": decode, "text": "a", "prompt": prompt, "tokens": 64,
                "memory": 150_000_000 })
        };
        let load = json!({ "start_ms": 100.0, "cold_ms": 900.0, "cached_ms": 500.0, "first_ms": 600.0, "prompt": 16 });
        let answers = json!({ "32": [sample(32)], "128": [sample(128), sample(128)] });
        json!({ "answers": answers, "loads": [load] })
    }

    fn report() -> Report {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/catalogue.toml");
        let model = catalogue::read(path.as_ref()).unwrap().remove(0);
        let about = json!({ "date": "2026-01-02", "commit": "c", "processor": "p", "cores": 2, "memory": "m",
            "system": "s", "rust": "r" });
        let mut figures = json!({ "relaxed-simd-1": engine(60.0), "relaxed-simd-2": engine(90.0), "llama-1": engine(40.0) });
        let cpu = |matvec: f64| json!({ "cpu": { "stages": [["matvec", matvec], ["attention", 1.0]], "bytes_per_token": 100_000_000 } });
        // The median counts, whatever one round was disturbed by.
        figures["relaxed-simd-1"]["profiles"] = json!([cpu(12.0), cpu(40.0), cpu(11.0)]);
        let chosen = json!({ "build": "engine-relaxed-threads", "reason": "It is fast." });
        serde_json::from_value(json!({
            "about": about, "browser": "b", "chosen": chosen, "wllama": "w", "llama": "l", "model": model, "command": "c", "threads": 2,
            "amount": { "rounds": 5, "quick": false }, "engines": engines::all(2, true), "opened": {},
            "figures": figures, "agreement": { "128": "A text" },
            "reads": { "weights": 96_000_000, "cache_per_position": 23_040 },
            "bandwidth": [{ "threads": 1, "native": 20.0, "tab": 19.0 }],
        }))
        .unwrap()
    }

    #[test]
    fn the_page_is_filled_in_whole() {
        let page = report().markdown("");
        assert!(!page.contains('{') && !page.contains('}'), "{page}");
        for expected in [
            "| Nibble, relaxed-simd | llama.cpp, native | 1 | 1.50 |",
            "over llama.cpp, native, threads: 1 | ≥ 1.20× | 1.50× | met |",
            "2 threads over 1 | ≥ 1.70× | 1.50× | **missed by 11.8 %** |",
            "| messages and event loop | 3.667 (22.0 %) |",
            "150.00 MB | met |",
        ] {
            assert!(page.contains(expected), "{expected} is not in:\n{page}");
        }
    }
}
