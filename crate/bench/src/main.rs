//! `cargo xtask bench`: Nibble beside its peers, on the same file and prompts, on this machine, in one run.

mod bandwidth;
mod contenders;
mod costs;
mod document;
mod engines;
mod gpu;
mod gpu_report;
mod jobs;
mod kernels;
mod machine;
mod page;
mod peers;
mod prompts;
mod report;
mod rounds;
mod samples;
mod tables;
mod thresholds;
mod types;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;
use serde_json::Value;
use xtask::paths::Paths;
use xtask::setup::{self, For};
use xtask::step::{note, step};
use xtask::{build, catalogue, command, model};

use crate::bandwidth::Bandwidth;
use crate::contenders::Contenders;
use crate::engines::{Engine, Maker};
use crate::prompts::Nibble;
use crate::report::Report;
use crate::rounds::Amount;

/// Measures Nibble beside its peers; writes bench.json in the target directory, and BENCHMARKS.md.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Options {
    /// Counted rounds, at least 5; with --gpu, at least 3.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Measures the GPU backend beside llama.cpp's instead, natively; on a machine without a GPU, in software.
    #[arg(long, conflicts_with_all = ["no_native", "threads", "engines", "quick", "page"])]
    gpu: bool,
    /// Measures the default model in other tensor types instead, each beside wllama and llama.cpp on the same file.
    #[arg(long, conflicts_with_all = ["gpu", "no_native", "engines", "quick", "page", "kernels"])]
    types: bool,
    /// Leaves llama.cpp as a native program out, which takes minutes to build.
    #[arg(long)]
    no_native: bool,
    /// Threads beside 1 [default: this machine's cores]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
    /// Only these engines, such as simd128-1,llama-1; BENCHMARKS.md stays as it is.
    #[arg(long, value_delimiter = ',')]
    engines: Vec<String>,
    /// One round of the short prompts, to see that everything runs; BENCHMARKS.md stays as it is.
    #[arg(long)]
    quick: bool,
    /// Writes BENCHMARKS.md again from the last whole run's bench.json, without measuring.
    #[arg(long, conflicts_with_all = ["quick", "engines", "threads", "no_native"])]
    page: bool,
    /// Times every kernel by itself instead, natively and in headless Chromium, without peers.
    #[arg(long, conflicts_with_all = ["gpu", "quick", "engines", "threads", "no_native", "page"])]
    kernels: bool,
}

impl Options {
    /// Whether the figures may stand in BENCHMARKS.md.
    fn whole(&self) -> bool {
        !self.quick && self.engines.is_empty()
    }

    fn amount(&self) -> Amount {
        let (rounds, longest) = if self.quick { (1, 128) } else { (self.rounds, u32::MAX) };
        Amount { rounds, lengths: (0, longest) }
    }

    fn threads(&self) -> u32 {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or(u32::try_from(cores).unwrap_or(1))
    }

    /// The command line that does the same again.
    fn words(&self) -> String {
        let mut words = format!("cargo xtask bench --rounds {} --threads {}", self.rounds, self.threads());
        words += if self.no_native { " --no-native" } else { "" };
        words += if self.quick { " --quick" } else { "" };
        if !self.engines.is_empty() {
            words += &format!(" --engines {}", self.engines.join(","));
        }
        words
    }
}

fn main() -> ExitCode {
    xtask::exit_code(run(&Options::parse()))
}

/// Measures everything and writes `bench.json` (in the target directory) and BENCHMARKS.md; or the part that is asked for.
fn run(options: &Options) -> Result<()> {
    let paths = &Paths::find()?;
    if options.gpu {
        return gpu::run(paths, options.rounds);
    }
    if options.types {
        return types::run(paths, options.threads(), options.rounds);
    }
    if options.kernels {
        return kernels::run(paths);
    }
    if options.page {
        return page::write(&Report::read(paths)?, paths);
    }
    if options.whole() {
        let rounds = options.rounds;
        ensure!(rounds >= 5, "a median needs at least 5 rounds, {rounds} were asked for");
    }
    let engines = engines::chosen(engines::all(options.threads(), !options.no_native), &options.engines)?;
    setup::run(paths, For::Everything)?;
    build::run(paths)?;
    engines::ensure_built(&paths.dist, &engines)?;
    step("nibble, to count tokens", || {
        let mut cargo = command::cargo(&paths.root);
        command::run(cargo.args(["build", "--locked", "--package", "nibble"]))
    })?;
    let report = measure(paths, options, engines)?;
    if options.whole() { page::write_whole(&report, paths) } else { page::write_part(&report, paths) }
}

fn measure(paths: &Paths, options: &Options, engines: Vec<Engine>) -> Result<Report> {
    let wllama = step("wllama, from npm", || peers::wllama(paths))?;
    let native = engines.iter().any(|engine| engine.maker == Maker::Llama);
    let build = || step("llama.cpp, built from PyPI (minutes, the first time)", || peers::llama_cpp(paths));
    let python = native.then(build).transpose()?;
    let catalogue = model::catalogue(paths)?;
    let model = catalogue::choose(&catalogue, None)?;
    let nibble = Nibble { paths, model: paths.models.join(&model.file), gemma: false };
    let reads = nibble.reads()?;
    let short = nibble.prompt(rounds::SHORT)?;
    let mut contenders = Contenders::start(paths, &paths.models, &setup::browser()?, model, python)?;
    let bandwidth = step("read bandwidth", || bandwidths(&mut contenders, options.threads()))?;
    let amount = options.amount();
    let mut figures = step("from file to first token, in turns", || {
        rounds::loads(&mut contenders, &engines, &short, amount.rounds)
    })?;
    let opened = step("all engines loaded", || opened(&mut contenders, &engines))?;
    step("answers, in turns", || rounds::answers(&mut contenders, &engines, &nibble, amount, &mut figures))?;
    let agreement = report::agreements(amount, &engines, &figures)?;
    Ok(Report {
        about: machine::describe(paths),
        browser: contenders.browser_version,
        chosen: contenders.chosen,
        wllama,
        llama: contenders.llama_version.unwrap_or_else(|| "none".to_owned()),
        model: model.clone(),
        command: options.words(),
        threads: options.threads(),
        amount,
        engines,
        opened,
        figures,
        agreement,
        reads,
        bandwidth,
    })
}

fn bandwidths(contenders: &mut Contenders, threads: u32) -> Result<Vec<Bandwidth>> {
    let counts = if threads > 1 { vec![1, threads] } else { vec![1] };
    let measure = |threads| {
        let native = bandwidth::native(threads);
        let measured = Bandwidth { threads, native, tab: contenders.bandwidth(threads)? };
        note(format!("threads: {threads}: native {native:.1} GB/s, in a tab {:.1} GB/s", measured.tab));
        Ok(measured)
    };
    counts.into_iter().map(measure).collect()
}

/// Loads every engine; gives what each says about itself.
fn opened(contenders: &mut Contenders, engines: &[Engine]) -> Result<BTreeMap<String, Value>> {
    engines.iter().map(|engine| Ok((engine.id.clone(), contenders.open(engine)?))).collect()
}
