//! `nibble bench --latency`: answers to real prompts, one after the other, and how long they took.

use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use engine::{Engine, Message, Request, Role, Sampling, Step, block_on};
use latency::Ms;
use latency::corpus::{self, Prompt};
use latency::export::{Context, Export, Imported, Run};
use latency::interval::{Next, Stopping};
use latency::stats::{Measured, Series};

use crate::latency_table;
use crate::load::BackendArgs;
use crate::model::ModelArgs;
use crate::output;

/// Positions in the KV cache: the longest prompt and its answer.
const CONTEXT: usize = 1024;
/// Seed of the bootstrap.
const SEED: u64 = 1;

#[derive(clap::Args)]
pub(crate) struct LatencyArgs {
    /// Measure the latency of answers to real prompts instead of speed alone
    #[arg(long)]
    pub(crate) latency: bool,
    /// Answers to measure, after one that warms up and is left out; the most of them with --within
    #[arg(long, default_value_t = 30, requires = "latency", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    answers: u32,
    /// Most tokens of an answer; each prompt has a limit of its own as well
    #[arg(long, default_value_t = 128, requires = "latency", value_parser = clap::value_parser!(u32).range(1..=256))]
    max_tokens: u32,
    /// Percentile of the time to the first token that has to be known, such as 90
    #[arg(long, default_value_t = 90.0, requires = "latency", value_parser = percentile)]
    percentile: f64,
    /// Stop early, once its 95 % interval is at most this share of it wide, per cent
    #[arg(long, value_name = "PERCENT", requires = "latency", value_parser = percentile)]
    within: Option<f64>,
    /// Write raw samples as CSV
    #[arg(long, value_name = "PATH", requires = "latency")]
    csv: Option<PathBuf>,
    /// Write raw samples as JSON
    #[arg(long, value_name = "PATH", requires = "latency")]
    export: Option<PathBuf>,
    /// Show an earlier export, JSON or CSV, below: another device, or this one before a change
    #[arg(long, value_name = "PATH", requires = "latency")]
    compare: Option<PathBuf>,
}

/// A share in per cent, without its ends.
fn percentile(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value| *value > 0.0 && *value < 100.0);
    value.ok_or_else(|| "it must be a number above 0 and below 100".to_owned())
}

pub(crate) fn run(args: &LatencyArgs, model: &ModelArgs, backend: &BackendArgs, json: bool) -> Result<()> {
    // Before the model is loaded, so that a wrong file costs no time.
    let earlier = args.compare.as_ref().map(read).transpose()?;
    let mut engine = backend.load(model, CONTEXT)?;
    let (runs, next) = measure(&mut engine, args)?;
    let export = Export { origin: Measured, context: context(&engine), runs };
    let as_json = export.to_json()?;
    let percentile = args.percentile / 100.0;
    for (path, text) in [(&args.export, as_json.clone()), (&args.csv, export.to_csv()?)] {
        let Some(path) = path else { continue };
        std::fs::write(path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    if json {
        return output::line(as_json);
    }
    latency_table::print(&export)?;
    latency_table::print_percentile(&export, percentile, args.within.map(|_| next), SEED)?;
    match &earlier {
        None => Ok(()),
        Some(Imported::Measured(earlier)) => {
            output::line("\nEarlier export:")?;
            latency_table::print(earlier)
        }
        Some(Imported::Simulated(earlier)) => {
            output::line(format_args!(
                "\nEarlier export, SIMULATED with preset {} and seed {}:",
                output::plain(&earlier.origin.preset),
                earlier.origin.seed
            ))?;
            latency_table::print(earlier)
        }
    }
}

fn read(path: &PathBuf) -> Result<Imported> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    Imported::read(&text).with_context(|| format!("{}: is no latency export", path.display()))
}

/// Answers to the corpus in turn, and why the last one was the last.
fn measure(engine: &mut Engine, args: &LatencyArgs) -> Result<(Vec<Run>, Next)> {
    let prompts = corpus::prompts();
    let rule = Stopping {
        percentile: args.percentile / 100.0,
        // No interval is narrower than nothing.
        width: args.within.map_or(-1.0, |percent| percent / 100.0),
        // Once through the corpus at least, so that every category has a part.
        fewest: prompts.len() as u64,
        most: args.answers.into(),
    };
    answer(engine, &prompts[0], 0, args.max_tokens)?;
    let mut runs = Vec::new();
    let mut firsts = Series::new(Measured);
    for (number, prompt) in (0..).zip(prompts.iter().cycle()) {
        let run = answer(engine, prompt, number, args.max_tokens)?;
        // An answer of no token has no time, but was asked for.
        run.metrics().into_iter().for_each(|metrics| firsts.record(metrics.ttft));
        runs.push(run);
        let next = rule.next(&firsts, SEED);
        let spent = runs.len() >= args.answers as usize;
        match next {
            Next::Again(interval) if spent => return Ok((runs, Next::Spent(interval))),
            Next::Again(_) => {}
            Next::Narrow(_) | Next::Spent(_) => return Ok((runs, next)),
        }
    }
    bail!("the corpus is empty")
}

fn answer(engine: &mut Engine, prompt: &Prompt, number: u32, max_tokens: u32) -> Result<Run> {
    let messages = [Message { role: Role::User, content: prompt.text.clone() }];
    // Reading something else first empties the cache, so that nothing is reused.
    let first = engine.chat_prompt(&messages)?;
    block_on(engine.logits(&first.ids()[..1], &mut |_, _| {}))?;
    let max_tokens = prompt.max_tokens.min(max_tokens) as usize;
    let request = Request { sampling: Sampling::greedy(), max_tokens, stop: Vec::new() };
    let mut arrivals = Vec::with_capacity(max_tokens);
    // A visitor waits for the tokenizer too.
    let asked = Instant::now();
    let tokens = engine.chat_prompt(&messages)?;
    let mut generation = engine.start(&tokens, &request)?;
    loop {
        match block_on(engine.step(&mut generation))? {
            Step::Moved { report } => bail!("{}", report.reason),
            Step::Prefill { .. } => {}
            Step::Token { .. } => arrivals.push(Ms(asked.elapsed().as_secs_f64() * 1e3)),
            Step::Finished { .. } => break,
        }
    }
    Ok(Run::new(&prompt.id, prompt.category, number, tokens.ids().len() as u32, &arrivals))
}

fn context(engine: &Engine) -> Context {
    let device = match engine.gpu() {
        Some(gpu) => gpu.adapter().name().to_owned(),
        None => format!("{} threads, {}", engine.threads(), engine::cpu::dispatch::detect().name),
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let one_line = |text: &str| output::plain(text).replace(['\n', '\t'], " ").chars().take(500).collect();
    Context {
        device: one_line(&device),
        browser: String::new(),
        backend: one_line(&engine.backend_name()),
        build: format!("nibble {}, native", env!("CARGO_PKG_VERSION")),
        model: one_line(&engine.info().name),
        at_unix_ms: since.as_millis() as u64,
        seed: Some(SEED),
    }
}
