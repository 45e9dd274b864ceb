//! A whole run: what was measured, on what, with what, as JSON.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xtask::catalogue::Model;
use xtask::paths::Paths;

use crate::bandwidth::Bandwidth;
use crate::contenders::{self, Chosen};
use crate::engines::Engine;
use crate::machine::About;
use crate::prompts::Reads;
use crate::rounds::{All, Amount, Figures};
use crate::samples::{agreement, check};

/// Tokens of the prompt whose answers must agree at length.
pub(crate) const MAIN: u32 = 128;

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
            check(id, samples, workload.prompt, workload.answer)?;
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
        self.reads.cache_per_position * u64::from(contenders::CONTEXT)
    }
}
