//! Debian packages, installed where that is possible.

use std::path::Path;

use anyhow::{Result, bail};

use crate::command;
use crate::step::note;

/// Installs packages. Where that cannot be done, the error is `else_say`, which names the packages' command.
pub(crate) fn install(packages: &[&str], else_say: &str) -> Result<()> {
    let (Some(apt), true) = (command::find(&["apt-get"]), is_root()) else { bail!("{else_say}") };
    let here = Path::new(".");
    note(format!("apt-get install {}", packages.join(" ")));
    command::run(command::program(&apt, here).args(["update", "--quiet"]))?;
    let mut install = command::program(&apt, here);
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    command::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_root() -> bool {
    command::output(command::program("id", Path::new(".")).arg("-u")).is_ok_and(|id| id.trim() == "0")
}
