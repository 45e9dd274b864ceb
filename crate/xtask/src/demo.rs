//! `cargo xtask demo`: from nothing to the page in a browser.

use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::paths::Paths;
use crate::setup::{self, For};
use crate::step::step;
use crate::{build, command, serve};

/// Sets up, builds and serves; with `check`, uses the page once in a browser instead.
pub(crate) fn run(paths: &Paths, port: u16, check: bool) -> Result<()> {
    if check {
        setup::run(paths, For::Browsing)?;
        build::run(paths)?;
        return step("use the page once in headless Chromium", || use_once(paths));
    }
    // Before minutes of building, not after.
    serve::ensure_free(port)?;
    setup::run(paths, For::Building)?;
    build::run(paths)?;
    serve::forever(&paths.dist, port)
}

/// Runs the main job on the built site; the script's JSON goes to standard output as it is.
fn use_once(paths: &Paths) -> Result<()> {
    let browser = setup::browser()?;
    let server = serve::start(&paths.dist, 0)?;
    let mut script = command::program("node", &paths.root);
    script.arg("tests/e2e/check.mjs").env("NIBBLE_URL", format!("http://{}", server.address));
    script
        .env("NIBBLE_CHROMIUM", &browser.chromium)
        .env("NIBBLE_SCREENSHOTS", paths.target.join("screenshots"));
    let status = script.stdin(Stdio::null()).status().context("could not start node")?;
    if !status.success() {
        bail!("the main job did not go well in the browser; what was wrong stands above");
    }
    Ok(())
}
