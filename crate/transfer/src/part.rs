//! A file that is not whole yet: its bytes in `NAME.part`, and in `NAME.part.of` which file they are the beginning of.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// An unfinished file, locked for this program.
pub(crate) struct Part {
    path: PathBuf,
    note: PathBuf,
    url: String,
    file: File,
    /// Bytes of an earlier attempt that can be gone on with.
    kept: u64,
    /// What tells the server's version of the file from others.
    validator: Option<String>,
}

impl Part {
    /// Opens what an earlier attempt left of `path`, or begins anew. Bytes without a note of what they are the beginning
    /// of are of no use.
    pub(crate) fn open(path: &Path, url: &str) -> Result<Self> {
        let beside = |ending: &str| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(ending);
            path.with_file_name(name)
        };
        let (path, note) = (beside(".part"), beside(".part.of"));
        let disk = |what, source| Error::Disk { path: path.clone(), what, source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| disk("made", source))?;
        }
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(|source| disk("opened", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path }),
            Err(TryLockError::Error(source)) => return Err(disk("locked", source)),
        }
        let noted = fs::read_to_string(&note).ok();
        let noted = noted.as_deref().and_then(|text| text.split_once('\n')).filter(|(of, _)| *of == url);
        let validator =
            noted.map(|(_, validator)| validator.trim().to_owned()).filter(|text| !text.is_empty());
        let kept = file.seek(SeekFrom::End(0)).map_err(|source| disk("read", source))?;
        let mut part = Self { path, note, url: url.to_owned(), file, kept, validator };
        if part.validator.is_none() || kept == 0 {
            part.clear()?;
        }
        Ok(part)
    }

    /// Bytes of an earlier attempt.
    pub(crate) fn kept(&self) -> u64 {
        self.kept
    }

    /// The version that they are of, where there are any.
    pub(crate) fn validator(&self) -> Option<&str> {
        self.validator.as_deref()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// To be written at its end.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Drops what an earlier attempt brought.
    pub(crate) fn clear(&mut self) -> Result<()> {
        let cleared = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        cleared.map_err(|source| self.refused("emptied", source))?;
        (self.kept, self.validator) = (0, None);
        Ok(())
    }

    /// Begins with the first byte of the version that `validator` names.
    pub(crate) fn start(&mut self, validator: Option<&str>) -> Result<()> {
        self.clear()?;
        let text = format!("{}\n{}\n", self.url, validator.unwrap_or_default());
        fs::write(&self.note, text).map_err(|source| self.refused("noted", source))
    }

    /// Leaves nothing of it.
    pub(crate) fn remove(&self) {
        for path in [&self.path, &self.note] {
            let _ = fs::remove_file(path);
        }
    }

    pub(crate) fn refused(&self, what: &'static str, source: io::Error) -> Error {
        Error::Disk { path: self.path.clone(), what, source }
    }
}
