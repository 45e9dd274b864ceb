//! `cargo xtask bench`: Nibble beside its peers, on the same file and prompt, on this machine, in one run.

mod document;
mod gpu;
mod gpu_report;
mod machine;
mod peers;
mod report;
mod samples;

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalogue::Model;
use crate::paths::Paths;
use crate::setup::{self, Browser, For};
use crate::step::{note, step};
use crate::{build, command, model, serve};
use report::Row;
use samples::Sample;

/// Positions of the KV cache on every side.
const CONTEXT: u32 = 1_024;

/// Tokens of the answer.
const ANSWER: u32 = 64;

/// Tokens of the prompt with its template: counted by every engine, so a template gone wrong is seen.
const PROMPT: u32 = 128;

const SYSTEM: &str = "You are a helpful assistant who writes clearly.";

const USER: &str = "I am preparing a short lesson for children of about ten years, and I would like to begin with the \
    basics before we walk in the garden. They have already heard that plants need light, water and air, that leaves \
    are green, and that roots hold a plant in the ground. They have not yet heard how a plant makes its own food. \
    Some of them will ask why that matters to people and animals as well. I have twenty minutes for all of this. \
    What is photosynthesis? Explain it in several simple sentences.";

/// How much is measured.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// Counted rounds, after one that warms up.
    pub(crate) rounds: u32,
    /// Whether llama.cpp is built and measured as a native program too.
    pub(crate) native: bool,
}

/// What the page's driver prints.
#[derive(Deserialize)]
struct Tab {
    browser: String,
    load_ms: InTab<f64>,
    samples: InTab<Vec<Sample>>,
}

#[derive(Deserialize)]
struct InTab<T> {
    nibble: T,
    wllama: T,
}

/// What the native script prints.
#[derive(Deserialize)]
struct Native {
    version: String,
    load_ms: f64,
    samples: Vec<Sample>,
}

pub(crate) use gpu::run as run_gpu;

/// Measures everything and writes `bench.json` (in the target directory) and BENCHMARKS.md.
pub(crate) fn run(paths: &Paths, options: Options) -> Result<()> {
    ensure!(options.rounds >= 5, "a median needs at least 5 rounds, {} were asked for", options.rounds);
    setup::run(paths, For::Everything)?;
    let browser = setup::browser()?;
    build::run(paths)?;
    let wllama = step("wllama, from npm", || peers::wllama(paths))?;
    let catalogue = model::catalogue(paths)?;
    let model = crate::catalogue::choose(&catalogue, None)?;
    let tab =
        step("nibble and wllama in one tab, in turns", || in_tab(paths, &browser, model, options.rounds))?;
    let mut rows = vec![
        Row::new("Nibble", "Chromium tab", 1, tab.load_ms.nibble, tab.samples.nibble),
        Row::new(
            &format!("wllama {}", peers::WLLAMA),
            "Chromium tab",
            1,
            tab.load_ms.wllama,
            tab.samples.wllama,
        ),
    ];
    if options.native {
        let python =
            step("llama.cpp, built from PyPI (minutes, the first time)", || peers::llama_cpp(paths))?;
        for threads in [1, 2] {
            let native = step(&format!("llama.cpp, native, threads: {threads}"), || {
                natively(paths, &python, model, threads, options.rounds)
            })?;
            let name = format!("llama.cpp (llama-cpp-python {})", native.version);
            rows.push(Row::new(&name, "process", threads, native.load_ms, native.samples));
        }
    }
    rows.iter().try_for_each(|row| samples::check(&row.engine, &row.samples, PROMPT, ANSWER))?;
    let agreement = report::agreement(&rows)?;
    let (about, model, options) = (machine::describe(paths), model.clone(), words(options));
    let report = report::Report { about, browser: tab.browser, wllama, model, options, agreement, rows };
    report.write(paths)
}

fn words(options: Options) -> String {
    let native = if options.native { "" } else { " --no-native" };
    format!("cargo xtask bench --rounds {}{native}", options.rounds)
}

fn in_tab(paths: &Paths, browser: &Browser, model: &Model, rounds: u32) -> Result<Tab> {
    let server = serve::bench(&[
        ("/bench", paths.root.join("crate/xtask/bench")),
        ("/dist", paths.dist.clone()),
        ("/wllama", peers::wllama_folder(paths)),
    ])?;
    let say = |role: &str, content: &str| json!({ "role": role, "content": content });
    let job = json!({
        "model": { "url": format!("models/{}", model.file), "file": model.file, "bytes": model.bytes, "sha256": model.sha256 },
        "messages": [say("system", SYSTEM), say("user", USER)],
        // Another beginning, so that the cache holds nothing of the prompt but its first marks.
        "before": [say("system", "No."), say("user", "Yes.")],
        "maxTokens": ANSWER, "context": CONTEXT, "rounds": rounds,
    });
    let mut driver = command::program("node", &paths.root);
    driver.arg("crate/xtask/bench/drive.mjs").env("NIBBLE_URL", format!("http://{}", server.address));
    driver.env("NIBBLE_CHROMIUM", &browser.chromium).env("NIBBLE_JOB", job.to_string());
    let printed = answered(&mut driver, None)?;
    serde_json::from_str(&printed).context("the bench page's driver printed something else than samples")
}

fn natively(
    paths: &Paths,
    python: &std::path::Path,
    model: &Model,
    threads: u32,
    rounds: u32,
) -> Result<Native> {
    let turn = |role: &str, content: &str| format!("<|im_start|>{role}\n{content}<|im_end|>\n");
    let prompt = turn("system", SYSTEM) + &turn("user", USER) + "<|im_start|>assistant\n";
    let job: Value = json!({
        "path": paths.models.join(&model.file), "prompt": prompt, "max_tokens": ANSWER, "context": CONTEXT,
        "threads": threads, "rounds": rounds,
    });
    let mut script = command::program(python, &paths.root);
    let printed = answered(script.arg("crate/xtask/bench/native.py"), Some(&job.to_string()))?;
    let native: Native =
        serde_json::from_str(&printed).context("the native script printed something else")?;
    for sample in &native.samples {
        note(format!("prefill {:.1}, decode {:.1} tok/s", sample.prefill, sample.decode));
    }
    Ok(native)
}

/// Runs it with `input`, its errors on ours, and gives what it printed.
fn answered(command: &mut Command, input: Option<&str>) -> Result<String> {
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped());
    let mut child = command.spawn().context("could not start a measurement")?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        std::io::Write::write_all(&mut stdin, input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("a measurement failed ({}); what it said stands above", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
