//! The models this site offers: `models/catalogue.json`, read as untrusted text.

use protocol::{Needs, Source};
use serde::Deserialize;

/// Where the catalogue lies, relative to the page.
pub const URL: &str = "models/catalogue.json";

/// One model on offer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Entry {
    /// Short name, unique in the catalogue.
    pub id: String,
    /// Name to show.
    pub name: String,
    /// SPDX identifier of its licence.
    pub license: String,
    /// File name.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Where the file comes from, in words or as an address.
    pub source: String,
    /// Architecture, e.g. `llama`.
    pub architecture: String,
    /// Main tensor type, e.g. `Q4_1`.
    pub quantization: String,
    /// Address, relative to the page.
    pub url: String,
    /// The numbers that its memory follows from.
    #[serde(default)]
    pub needs: Option<Needs>,
    /// Whether it is the one offered first.
    #[serde(default)]
    pub default: bool,
}

impl Entry {
    /// The source that the worker is asked to load.
    pub fn source(&self) -> Source {
        Source::Url {
            url: self.url.clone(),
            file: self.file.clone(),
            bytes: self.bytes,
            sha256: self.sha256.clone(),
        }
    }
}

/// Reads the catalogue; the entry to offer first comes first.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = serde_json::from_str(text)
        .map_err(|_| format!("{URL} is not a model catalogue: it lacks the expected fields."))?;
    if entries.is_empty() {
        return Err(format!("{URL} lists no models."));
    }
    entries.sort_by_key(|entry| !entry.default);
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"id":"a","name":"A","license":"MIT","file":"a.gguf","bytes":7,"sha256":"00",
        "source":"here","architecture":"llama","quantization":"Q4_1","url":"models/a.gguf"}"#;

    #[test]
    fn a_list_is_read() {
        let entries = parse(&format!("[{ENTRY}]")).unwrap();
        assert_eq!((entries[0].id.as_str(), entries[0].bytes), ("a", 7));
    }

    /// As an earlier version wrote it.
    #[test]
    fn needs_without_the_work_of_a_token_are_read() {
        let needs = r#""needs":{"weights":1,"kv_bytes_per_token":2,"context":3},"id""#;
        let entries = parse(&format!("[{}]", ENTRY.replace("\"id\"", needs))).unwrap();
        assert_eq!(entries[0].needs.map(|needs| (needs.context, needs.work)), Some((3, None)));
    }

    #[test]
    fn the_default_comes_first() {
        let second = ENTRY.replace("\"id\":\"a\"", "\"default\":true,\"id\":\"b\"");
        assert_eq!(parse(&format!("[{ENTRY},{second}]")).unwrap()[0].id, "b");
    }

    #[test]
    fn anything_else_is_a_sentence() {
        for text in ["", "<!doctype html>", "[]", "{}", "[{}]", "7", r#"{"models":[]}"#] {
            assert!(parse(text).unwrap_err().contains(URL));
        }
    }
}
