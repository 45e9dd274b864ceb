//! `cargo xtask`: everything a developer does to Nibble apart from editing it.
//!
//! What a person reads goes to standard error; standard output carries results only (`demo --check` prints one
//! JSON object there). Tools are called by full path and installed under cargo's target directory.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::paths::Paths;
use xtask::{build, command, demo, fuzz, model, serve, setup, test};

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
    /// Fuzzes everything that reads a model file's own words.
    Fuzz {
        /// How long each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Only this one: header, tokenizer or template.
        #[arg(long)]
        target: Option<String>,
    },
    /// Measures Nibble beside its peers; writes bench.json in the target directory, and BENCHMARKS.md.
    #[command(disable_help_flag = true)]
    Bench {
        /// What the crate `bench` is told.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
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
    /// Adds a model to models/catalogue.toml: brings its file, looks into it, writes size and SHA-256.
    Add {
        /// Address of a .gguf file (https), or its path.
        from: String,
        /// SPDX identifier, where the file states no licence.
        #[arg(long)]
        license: Option<String>,
        /// Name to show, instead of the file's own.
        #[arg(long)]
        name: Option<String>,
    },
    /// Checks size and SHA-256 of a model file.
    Verify {
        /// Its id in models/catalogue.toml; the default model without one.
        id: Option<String>,
    },
}

fn main() -> ExitCode {
    xtask::exit_code(run(Arguments::parse().task))
}

fn run(task: Task) -> anyhow::Result<()> {
    let paths = Paths::find()?;
    match task {
        Task::Setup => setup::run(&paths, setup::For::Everything),
        Task::Build => setup::run(&paths, setup::For::Building).and_then(|()| build::run(&paths)),
        Task::Demo { port, check, backend } => demo::run(&paths, port, check, backend),
        Task::Test { only } => test::run(&paths, only),
        Task::Fuzz { seconds, target } => fuzz::run(&paths, seconds, target.as_deref()),
        Task::Bench { options } => bench(&paths, &options),
        Task::Serve { port } => serve::forever(&paths.dist, port),
        Task::Model { action: ModelAction::Fetch { id } } => model::fetch(&paths, id.as_deref()),
        Task::Model { action: ModelAction::Add { from, license, name } } => {
            model::add(&paths, &from, &model::Stated { license, name })
        }
        Task::Model { action: ModelAction::Verify { id } } => model::verify(&paths, id.as_deref()),
    }
}

/// Runs the bench, which is a program of its own: no other task waits until it is compiled. It says itself what went
/// wrong, so only its exit status is passed on.
fn bench(paths: &Paths, options: &[OsString]) -> anyhow::Result<()> {
    let mut cargo = command::cargo(&paths.root);
    let status = cargo.args(["run", "--package", "bench", "--"]).args(options).status()?;
    std::process::exit(status.code().unwrap_or(1))
}
