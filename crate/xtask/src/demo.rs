//! `cargo xtask demo`: from nothing to the page in a browser.

use anyhow::Result;

use crate::paths::Paths;
use crate::{build, serve, setup};

/// Sets up, builds and serves; with `check`, uses the page once in a browser instead.
pub(crate) fn run(paths: &Paths, port: u16, check: bool) -> Result<()> {
    let purpose = if check { setup::For::Everything } else { setup::For::Building };
    setup::run(paths, purpose)?;
    build::run(paths)?;
    serve::forever(&paths.dist, port)
}
