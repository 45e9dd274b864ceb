//! The engines of a run, ready to be asked: tabs of one browser, and processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xtask::catalogue::Model;
use xtask::paths::Paths;
use xtask::setup::Browser;
use xtask::{command, serve};

use crate::engines::{Engine, Maker};
use crate::jobs::JobServer;
use crate::prompts::Prompt;
use crate::samples::{Load, Sample};
use crate::{bandwidth, peers};

/// Positions of the KV cache on every side: the longest prompt and its answer.
pub(crate) const CONTEXT: u32 = 2_304;

/// Everything that can be asked.
pub(crate) struct Contenders<'a> {
    paths: &'a Paths,
    /// Where the model's file lies.
    folder: PathBuf,
    model: &'a Model,
    /// Where llama.cpp is installed, if it takes part.
    python: Option<PathBuf>,
    browser: JobServer,
    pub(crate) browser_version: String,
    pub(crate) chosen: Chosen,
    processes: BTreeMap<String, JobServer>,
    /// Once known.
    pub(crate) llama_version: Option<String>,
}

/// The build that the page takes on this machine.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Chosen {
    /// Name of its files.
    pub(crate) build: String,
    /// The page's sentence about it.
    pub(crate) reason: String,
}

/// What the driver says first.
#[derive(Deserialize)]
struct Started {
    version: String,
    chosen: Chosen,
}

/// What the native script says once the model is loaded.
#[derive(Deserialize)]
struct Loaded {
    version: String,
    load_ms: f64,
}

#[derive(Deserialize)]
struct First {
    first_ms: f64,
    prompt: u32,
}

impl<'a> Contenders<'a> {
    /// Starts the browser; engines come later. `folder` has the model's file.
    pub(crate) fn start(
        paths: &'a Paths,
        folder: &Path,
        browser: &Browser,
        model: &'a Model,
        python: Option<PathBuf>,
    ) -> Result<Self> {
        // Code may be kept, as on the page; a model that is fetched twice is fetched twice.
        let server = serve::folders(vec![
            ("/bench", paths.root.join("crate/bench/browser"), "no-cache"),
            ("/dist", paths.dist.clone(), "no-cache"),
            ("/models", folder.to_owned(), "no-store"),
            ("/wllama", peers::wllama_folder(paths), "no-cache"),
        ])?;
        let profile = paths.target.join("bench/profile");
        // What an earlier run stored would make a first load a second one.
        let _ = std::fs::remove_dir_all(&profile);
        let mut driver = command::program("node", &paths.root);
        driver.arg("crate/bench/browser/drive.mjs").env("NIBBLE_CHROMIUM", &browser.chromium);
        let setting = json!({ "url": format!("http://{}", server.address), "profile": profile });
        let (browser, Started { version, chosen }) =
            JobServer::start("the bench page's driver", &mut driver, &setting)?;
        let browser_version = format!("Chromium {version}");
        let processes = BTreeMap::new();
        let folder = folder.to_owned();
        let llama_version = None;
        Ok(Self { paths, folder, model, python, browser, browser_version, chosen, processes, llama_version })
    }

    /// Loads an engine, which stays; gives what it says about itself.
    pub(crate) fn open(&mut self, engine: &Engine) -> Result<Value> {
        if engine.maker == Maker::Llama {
            let (process, Loaded { version, load_ms }) = self.process(engine)?;
            self.processes.insert(engine.id.clone(), process);
            self.llama_version = Some(version);
            return Ok(json!({ "load_ms": load_ms }));
        }
        let job = json!({ "engine": engine, "model": self.offer(), "context": CONTEXT });
        self.in_tab(engine, "open", job, false)
    }

    /// One answer of an engine that is open.
    pub(crate) fn answer(&mut self, engine: &Engine, prompt: &Prompt, tokens: u32) -> Result<Sample> {
        let answer = if engine.maker == Maker::Llama {
            let process = self.processes.get_mut(&engine.id);
            let process = process.with_context(|| format!("{} is not open", engine.id))?;
            process.ask(&prompt.job(tokens))?
        } else {
            let job = json!({
                "before": prompt.other().messages(), "messages": prompt.messages(), "text": prompt.text(),
                "maxTokens": tokens,
            });
            self.in_tab(engine, "answer", job, false)?
        };
        serde_json::from_value(answer).with_context(|| format!("{} gave no figures", engine.id))
    }

    /// From a file to a first token, by an engine that is started for it and ended afterwards.
    pub(crate) fn load(&mut self, engine: &Engine, prompt: &Prompt) -> Result<Load> {
        if engine.maker == Maker::Llama {
            let (mut process, Loaded { load_ms, .. }) = self.process(engine)?;
            let First { first_ms, prompt } = process.ask(&prompt.job(1))?;
            let first_ms = load_ms + first_ms;
            return Ok(Load { start_ms: 0.0, cold_ms: None, cached_ms: load_ms, first_ms, prompt });
        }
        let job = json!({
            "engine": engine, "model": self.offer(), "context": CONTEXT, "messages": prompt.messages(),
            "text": prompt.text(),
        });
        Ok(serde_json::from_value(self.in_tab(engine, "load", job, true)?)?)
    }

    /// What the worker of one of our engines measures of itself.
    pub(crate) fn bench(&mut self, engine: &Engine, prefill: u32, decode: u32) -> Result<Value> {
        let job = json!({ "prefill": prefill, "decode": decode, "runs": 1 });
        self.in_tab(engine, "bench", job, false)
    }

    /// Read bandwidth of WebAssembly, GB/s.
    pub(crate) fn bandwidth(&mut self, threads: u32) -> Result<f64> {
        let ms = bandwidth::TIME.as_millis() as u64;
        let job = json!({ "threads": threads, "bytes": bandwidth::BYTES, "ms": ms });
        let job = json!({ "tab": "bandwidth", "task": "bandwidth", "job": job, "close": true });
        Ok(self.browser.ask::<f64>(&job)? / 1e9)
    }

    fn in_tab(&mut self, engine: &Engine, task: &str, job: Value, close: bool) -> Result<Value> {
        self.browser.ask(&json!({ "tab": engine.id, "task": task, "job": job, "close": close }))
    }

    fn process(&self, engine: &Engine) -> Result<(JobServer, Loaded)> {
        let python = self.python.as_ref().context("llama.cpp is left out of this run")?;
        let mut script = command::program(python, &self.paths.root);
        script.arg("crate/bench/native/native.py");
        let path = self.folder.join(&self.model.file);
        let setting = json!({ "path": path, "context": CONTEXT, "threads": engine.threads });
        JobServer::start("llama.cpp", &mut script, &setting)
    }

    /// The model as the page loads it.
    fn offer(&self) -> Value {
        let Model { file, bytes, sha256, .. } = self.model;
        json!({ "url": format!("/models/{file}"), "file": file, "bytes": bytes, "sha256": sha256 })
    }
}
