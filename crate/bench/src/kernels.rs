//! Every kernel by itself: `crate/engine/benches/kernels`, natively and in a browser.

use anyhow::Result;
use xtask::paths::Paths;
use xtask::setup::{self, For};
use xtask::step::step;
use xtask::{command, test};

const BENCH: [&str; 6] = ["bench", "--locked", "--package", "engine", "--bench", "kernels"];

/// Runs both; each prints its own figures.
pub(crate) fn run(paths: &Paths) -> Result<()> {
    setup::run(paths, For::Everything)?;
    let browser = setup::browser()?;
    step("kernels, natively", || command::run(command::cargo(&paths.root).args(BENCH)))?;
    step("kernels, in Chromium", || {
        let mut cargo = command::cargo(&paths.root);
        cargo.args(BENCH).args(test::WASM);
        test::in_browser(&mut cargo, paths, &browser)?;
        command::run(&mut cargo)
    })
}
