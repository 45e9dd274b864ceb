//! `nibble`: the engine, the measurements and the prices of the page, natively.
//!
//! Exit codes: 0 done, 1 failed with a sentence on standard error, 2 bad usage.

mod bench;
mod costs;
mod inspect;
mod latency_bench;
mod latency_table;
mod load;
mod model;
mod output;
mod perplexity;
mod run;
mod tco;
mod tokenize;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::usage::BadUsage;

/// Runs, measures and prices a 4-bit language model on this machine.
#[derive(Parser)]
#[command(name = "nibble", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 bad usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answer a prompt.
    Run(run::Args),
    /// Show a text as tokens.
    Tokenize(tokenize::Args),
    /// Measure how well the model predicts a text.
    Perplexity(perplexity::Args),
    /// Show what a model file holds.
    Inspect(inspect::Args),
    /// Measure prefill and decode speed.
    Bench(bench::Args),
    /// Compare the cost of cloud and edge.
    Tco(tco::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Tokenize(args) => tokenize::run(&args),
        Command::Perplexity(args) => perplexity::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Tco(args) => tco::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output may have read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format_args!("nibble: {}\n", output::plain(&format!("{error:#}"))));
            if error.is::<BadUsage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
