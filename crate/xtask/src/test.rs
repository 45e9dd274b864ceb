//! `cargo xtask test`: everything that must hold, on the machine and in the browser.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::paths::Paths;
use crate::setup::{self, Browser, For};
use crate::step::{note, step};
use crate::summary::Summary;
use crate::{build, command, fuzz, serve};

/// What tells cargo to compile for browsers.
pub const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];

/// Seconds after which a browser's test program is given up; far above what any takes.
const PATIENCE: &str = "1800";

/// Seconds that each fuzz target runs.
const FUZZING: u32 = 60;

/// Who runs tests.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Runner {
    /// `cargo test` on this machine.
    Native,
    /// wasm-bindgen-test in headless Chromium.
    Wasm,
    /// Playwright on the built site.
    Page,
    /// libFuzzer, a minute a target.
    Fuzz,
}

impl Runner {
    const ALL: [Self; 4] = [Self::Native, Self::Wasm, Self::Page, Self::Fuzz];

    fn name(self) -> &'static str {
        match self {
            Self::Native => "native (cargo test)",
            Self::Wasm => "wasm (wasm-bindgen-test in Chromium)",
            Self::Page => "page (Playwright in Chromium)",
            Self::Fuzz => "fuzz (libFuzzer)",
        }
    }

    fn run(self, paths: &Paths, browser: &Browser) -> Result<Summary> {
        match self {
            Self::Native => native(paths),
            Self::Wasm => wasm(paths, browser),
            Self::Page => build::run(paths).and_then(|()| end_to_end(paths, browser)),
            Self::Fuzz => fuzz::every(paths, FUZZING, None),
        }
    }
}

/// Runs everything, or one runner; an error when anything failed.
pub fn run(paths: &Paths, only: Option<Runner>) -> Result<()> {
    setup::run(paths, For::Everything)?;
    let browser = setup::browser()?;
    if only.is_none() {
        checks(paths)?;
    }
    let mut summaries = Vec::new();
    for runner in Runner::ALL.into_iter().filter(|runner| only.is_none_or(|only| only == *runner)) {
        let name = runner.name();
        summaries.push((name, step(&format!("tests: {name}"), || runner.run(paths, &browser))?));
    }
    conclude(&summaries)
}

/// Each runner's own summary, then all counts in one line.
fn conclude(summaries: &[(&str, Summary)]) -> Result<()> {
    println!();
    for (name, summary) in summaries {
        for line in &summary.lines {
            println!("{name}: {line}");
        }
    }
    let sum = Summary::sum(summaries.iter().map(|(_, summary)| summary));
    println!("{}", sum.line());
    if let Some((name, _)) = summaries.iter().find(|(_, summary)| summary.passed + summary.failed == 0) {
        bail!("{name} ran no test");
    }
    if sum.failed > 0 {
        bail!("{} of {} tests failed", sum.failed, sum.failed + sum.passed);
    }
    Ok(())
}

/// Formatting and lints, native and wasm.
fn checks(paths: &Paths) -> Result<()> {
    step("formatting", || {
        command::run(command::cargo(&paths.root).args(["fmt", "--all", "--check"]))
            .context("the code is not formatted; run: cargo fmt --all")
    })?;
    let deny = ["--", "--deny", "warnings"];
    step("lints, native", || {
        command::run(command::cargo(&paths.root).args(["clippy", "--locked", "--all-targets"]).args(deny))
    })?;
    step("lints, wasm", || {
        let mut clippy = command::cargo(&paths.root);
        clippy.args(["clippy", "--locked", "--all-targets"]).args(WASM).args(browser_packages(paths));
        command::run(clippy.args(deny))?;
        let mut relaxed = command::cargo(&paths.root);
        relaxed.args(["clippy", "--locked", "--package", "worker", "--features", "relaxed-simd"]).args(WASM);
        command::run(relaxed.args(deny))
    })
}

/// `--package` arguments of the crates that run in a browser.
fn browser_packages(paths: &Paths) -> Vec<&str> {
    let named = paths.packages.iter().filter(|package| package.has_browser_tests());
    named.flat_map(|package| ["--package", package.name.as_str()]).collect()
}

fn native(paths: &Paths) -> Result<Summary> {
    let mut cargo = command::cargo(&paths.root);
    counted(cargo.args(["test", "--locked", "--no-fail-fast"]), "the native tests")
}

fn wasm(paths: &Paths, browser: &Browser) -> Result<Summary> {
    let plain = packages_in_browser(paths, browser, &browser_packages(paths), &[])?;
    // The kernels once more with the other instructions; the rest of the engine is the same.
    let packages = ["--package", "engine", "--features", "relaxed-simd"];
    let relaxed = packages_in_browser(paths, browser, &packages, &["cpu::tests"])?;
    let both = Summary::sum([&plain, &relaxed]);
    Ok(Summary { lines: [plain.lines, relaxed.lines].concat(), ..both })
}

fn packages_in_browser(
    paths: &Paths,
    browser: &Browser,
    packages: &[&str],
    only: &[&str],
) -> Result<Summary> {
    let mut cargo = command::cargo(&paths.root);
    cargo.args(["test", "--locked", "--no-fail-fast", "--lib", "--tests"]).args(WASM).args(packages);
    in_browser(cargo.arg("--").args(only), paths, browser)?;
    counted(&mut cargo, "the wasm tests")
}

/// Makes a cargo for [`WASM`] run what it builds in this machine's Chromium.
pub fn in_browser(cargo: &mut Command, paths: &Paths, browser: &Browser) -> Result<()> {
    let version = setup::wasm_bindgen_version(&paths.root)?;
    cargo.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        paths.wasm_bindgen(&version, "wasm-bindgen-test-runner"),
    );
    cargo
        .env("CHROMEDRIVER", &browser.driver)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver(paths, browser)?);
    // Tests that do not say where they run would otherwise run in Node.
    cargo.env("WASM_BINDGEN_USE_BROWSER", "1").env("WASM_BINDGEN_TEST_TIMEOUT", PATIENCE);
    cargo.env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
    Ok(())
}

/// The committed capabilities with the path of this machine's Chromium.
fn webdriver(paths: &Paths, browser: &Browser) -> Result<PathBuf> {
    let committed =
        std::fs::read_to_string(paths.root.join("tests/webdriver.json")).context("tests/webdriver.json")?;
    let mut capabilities: serde_json::Value =
        serde_json::from_str(&committed).context("tests/webdriver.json")?;
    capabilities["goog:chromeOptions"]["binary"] = browser.chromium.display().to_string().into();
    let path = paths.target.join("webdriver.json");
    std::fs::write(&path, capabilities.to_string())
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok(path)
}

/// Runs a `cargo test`, passing its words on and counting. Ending badly without a failed test counts as one.
fn counted(command: &mut Command, what: &str) -> Result<Summary> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("could not start {what}"))?;
    let mut summary = Summary::default();
    let words = child.stdout.take().context("no output to read")?;
    for line in BufReader::new(words).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        println!("{line}");
        summary.read_libtest(&line);
    }
    if !child.wait()?.success() && summary.failed == 0 {
        summary.failed = 1;
        summary.lines.push(format!("{what} ended before all of them ran"));
    }
    Ok(summary)
}

fn end_to_end(paths: &Paths, browser: &Browser) -> Result<Summary> {
    // What the page says is held against what the program says.
    command::run(command::cargo(&paths.root).args(["build", "--locked", "--package", "nibble"]))?;
    let program = paths.target.join("debug").join(format!("nibble{}", std::env::consts::EXE_SUFFIX));
    let server = serve::start(&paths.dist, 0)?;
    let out = paths.target.join("e2e");
    let report = out.join("report.json");
    let _ = std::fs::remove_file(&report);
    let mut playwright = command::program("node", &paths.root);
    playwright.arg(paths.npm("@playwright/test/cli.js")).args(["test", "--config", "tests/e2e"]);
    playwright.env("NIBBLE_URL", format!("http://{}", server.address)).env("NIBBLE_OUT", &out);
    playwright.env("NIBBLE_CHROMIUM", &browser.chromium).env("NIBBLE_PROGRAM", &program).stdin(Stdio::null());
    let status = playwright.status().context("could not start Playwright")?;
    let counts = std::fs::read_to_string(&report).context("Playwright wrote no report")?;
    let mut summary = Summary::read_playwright(&counts).context("Playwright's report could not be read")?;
    if !status.success() {
        note(format!("pictures of what failed are in {}", out.display()));
        if summary.failed == 0 {
            summary.failed = 1;
            summary.lines.push("Playwright ended before all tests ran".to_string());
        }
    }
    Ok(summary)
}
