//! What the figures were measured on, and with which versions.

use serde::{Deserialize, Serialize};
use xtask::command;
use xtask::paths::Paths;

/// Machine, versions and day of a run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct About {
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: String,
    pub(crate) system: String,
    pub(crate) rust: String,
}

/// Asks the machine; what it does not tell is called unknown.
pub(crate) fn describe(paths: &Paths) -> About {
    let ask = |program: &str, arguments: &[&str]| {
        let said = command::output(command::program(program, &paths.root).args(arguments));
        said.map_or("unknown".to_string(), |said| said.trim().to_string())
    };
    let dirty =
        if ask("git", &["status", "--porcelain"]).is_empty() { "" } else { ", with changes not committed" };
    About {
        date: ask("date", &["-u", "+%Y-%m-%d"]),
        commit: ask("git", &["rev-parse", "--short", "HEAD"]) + dirty,
        processor: field("/proc/cpuinfo", "model name"),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory: field("/proc/meminfo", "MemTotal"),
        system: field("/etc/os-release", "PRETTY_NAME").replace('"', ""),
        rust: ask("rustc", &["--version"]),
    }
}

/// Value of `name: value` or `name=value` in a file of Linux.
fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once([':', '=']));
    value.map_or("unknown".to_string(), |(_, value)| value.trim().to_string())
}
