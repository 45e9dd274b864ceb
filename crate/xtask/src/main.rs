//! `cargo xtask`: everything a developer does to Nibble apart from editing it.
//!
//! What a person reads goes to standard error; standard output carries results only (`demo --check` prints one
//! JSON object there). Tools are called by full path and installed under cargo's target directory.

mod apt;
mod bench;
mod build;
mod catalogue;
mod command;
mod demo;
mod digest;
mod fetch;
mod model;
mod paths;
mod pip;
mod serve;
mod setup;
mod size;
mod stamp;
mod step;
mod tally;
mod test;
mod variant;
mod vulkan;
mod wasm;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use paths::Paths;

/// Set-up, build, demo, test, bench and model files of Nibble.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what building, testing and running need; says what it did and how long each step took.
    Setup,
    /// Builds the static site in dist/, ready for any host.
    Build,
    /// Sets up, builds, and serves the page on this machine.
    Demo {
        /// Port on 127.0.0.1.
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// Runs the main job once in headless Chromium and prints what was measured as one JSON object.
        #[arg(long)]
        check: bool,
        /// With --check, what computes; without it, the visitor chooses in the page.
        #[arg(long, value_enum, default_value_t = demo::Backend::Cpu)]
        backend: demo::Backend,
    },
    /// Sets up, then runs every check and test, native and in headless Chromium.
    Test {
        /// Only the tests of one runner, without the checks.
        #[arg(long, value_enum)]
        only: Option<test::Runner>,
    },
    /// Measures Nibble beside its peers; writes bench.json in the target directory, and BENCHMARKS.md.
    Bench(bench::Options),
    /// Serves dist/ as it is.
    Serve {
        /// Port on 127.0.0.1.
        #[arg(long, default_value_t = 8080)]
        port: u16,
    },
    /// Fetches or checks model files.
    Model {
        #[command(subcommand)]
        action: ModelAction,
    },
}

#[derive(Subcommand)]
enum ModelAction {
    /// Brings a model file into models/ unless a good one is there.
    Fetch {
        /// Its id in models/catalogue.toml; the default model without one.
        id: Option<String>,
    },
    /// Checks size and SHA-256 of a model file.
    Verify {
        /// Its id in models/catalogue.toml; the default model without one.
        id: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        // The sentences only: a backtrace through xtask helps nobody who reads what went wrong.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    let paths = Paths::find()?;
    match task {
        Task::Setup => setup::run(&paths, setup::For::Everything),
        Task::Build => setup::run(&paths, setup::For::Building).and_then(|()| build::run(&paths)),
        Task::Demo { port, check, backend } => demo::run(&paths, port, check, backend),
        Task::Test { only } => test::run(&paths, only),
        Task::Bench(options) if options.gpu => bench::run_gpu(&paths, options.rounds),
        Task::Bench(options) => bench::run(&paths, &options),
        Task::Serve { port } => serve::forever(&paths.dist, port),
        Task::Model { action: ModelAction::Fetch { id } } => model::fetch(&paths, id.as_deref()),
        Task::Model { action: ModelAction::Verify { id } } => model::verify(&paths, id.as_deref()),
    }
}
