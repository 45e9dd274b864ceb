//! `cargo xtask demo`: from nothing to the page in a browser.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::paths::Paths;
use crate::setup::{self, For};
use crate::step::step;
use crate::{build, command, serve};

/// What shall compute in the page.
#[derive(Clone, Copy, ValueEnum)]
pub enum Backend {
    /// The processor, in a browser without a GPU adapter.
    Cpu,
    /// The GPU, compared with the processor; NIBBLE_ADAPTER=default takes the machine's own instead of software.
    Gpu,
}

/// Sets up, builds and serves; with `check`, uses the page once in a browser instead.
pub fn run(paths: &Paths, port: u16, check: bool, backend: Backend) -> Result<()> {
    if check {
        setup::run(paths, For::Browsing)?;
        build::run(paths)?;
        return step("use the page once in headless Chromium", || use_once(paths, backend));
    }
    // Before minutes of building, not after.
    serve::ensure_free(port)?;
    setup::run(paths, For::Building)?;
    build::run(paths)?;
    serve::forever(&paths.dist, port)
}

/// Runs the main job on the built site; the script's JSON goes to standard output as it is.
fn use_once(paths: &Paths, backend: Backend) -> Result<()> {
    let browser = setup::browser()?;
    let server = serve::start(&paths.dist, 0)?;
    let mut script = command::program("node", &paths.root);
    script.arg("tests/e2e/check.mjs").env("NIBBLE_URL", format!("http://{}", server.address));
    let name = match backend {
        Backend::Cpu => "cpu",
        Backend::Gpu => "gpu",
    };
    script.env("NIBBLE_BACKEND", name);
    script
        .env("NIBBLE_CHROMIUM", &browser.chromium)
        .env("NIBBLE_SCREENSHOTS", paths.target.join("screenshots"));
    let status = script.stdin(Stdio::null()).status().context("could not start node")?;
    if !status.success() {
        bail!("the main job did not go well in the browser; what was wrong stands above");
    }
    Ok(())
}
