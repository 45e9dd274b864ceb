//! A file of the catalogue, as a message claims it, checked field by field.

use protocol::{Origin, Record};

use super::fetch::same_origin;
use crate::digest::is_sha256;
use crate::errors::{Error, Result};
use crate::store;

/// A model file to obtain: where it is fetched, its size and its hash.
#[derive(Clone, Debug)]
pub(crate) struct ExpectedFile {
    /// Address on this origin.
    pub(crate) url: String,
    /// Name, for messages and for storage.
    pub(crate) file: String,
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// SHA-256, lower-case hex.
    pub(crate) sha256: String,
}

/// Whether a name can be part of a stored file's name.
pub(crate) fn is_plain(file: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    !(file.is_empty() || file.len() > 200 || file.starts_with('.') || file.contains(odd))
}

impl ExpectedFile {
    /// Checks what a message claims. The name becomes part of a stored file's name, so it must be one.
    pub(crate) fn new(url: &str, file: String, bytes: u64, sha256: String) -> Result<Self> {
        let refuse = |file: String, cause: &str| Err(Error::Refused { file, cause: cause.to_owned() });
        if !is_plain(&file) {
            return refuse(file, "this is not a plain file name; correct the catalogue");
        }
        if bytes == 0 || bytes > js_sys::Number::MAX_SAFE_INTEGER as u64 {
            return refuse(file, "the catalogue gives an impossible size; correct it");
        }
        if !is_sha256(&sha256) {
            return refuse(file, "the catalogue's SHA-256 is not 64 lower-case hex digits; correct it");
        }
        let url = same_origin(&file, url)?;
        Ok(Self { url, file, bytes, sha256 })
    }

    /// Name in storage.
    pub(crate) fn stored_name(&self) -> String {
        store::stored_name(&self.file, &self.sha256)
    }

    /// Whether a stored file is this model with another content.
    pub(crate) fn is_earlier(&self, stored: &str) -> bool {
        store::parts_of(stored).is_some_and(|(file, _)| file == self.file) && stored != self.stored_name()
    }

    /// What is remembered of it, once some of it is stored.
    pub(crate) fn record(&self) -> Record {
        Record {
            file: self.file.clone(),
            bytes: self.bytes,
            sha256: self.sha256.clone(),
            parts: Vec::new(),
            origin: Origin::Site { url: self.url.clone() },
            used_ms: None,
            needs: None,
        }
    }
}
