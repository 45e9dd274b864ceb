//! bench.json and BENCHMARKS.md, which several runs write parts of.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use xtask::paths::Paths;

/// A part of BENCHMARKS.md that a run of its own writes, between two comments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Section {
    /// `--gpu`
    Gpu,
    /// `--types`
    Types,
}

impl Section {
    /// The comments around it.
    fn marks(self) -> (&'static str, &'static str) {
        match self {
            Self::Gpu => ("<!-- gpu: begin -->", "<!-- gpu: end -->"),
            Self::Types => ("<!-- types: begin -->", "<!-- types: end -->"),
        }
    }

    /// Its text in a page, marks included; empty where there is none.
    pub(crate) fn of(self, page: &str) -> &str {
        let (first, last) = self.marks();
        let Some(begin) = page.find(first) else { return "" };
        let end = page[begin..].find(last).map_or(page.len(), |end| begin + end + last.len());
        &page[begin..end]
    }

    /// The page with another text of it, at the place of the old one or at the end.
    pub(crate) fn replace(self, page: &str, text: &str) -> String {
        let (first, last) = self.marks();
        let text = format!("{first}\n{}\n{last}", text.trim_end());
        match self.of(page) {
            "" => format!("{}\n\n{text}\n", page.trim_end()),
            old => page.replacen(old, &text, 1),
        }
    }
}

/// Puts the fields of `part` into bench.json in the target directory, beside those of other runs; gives its path.
pub(crate) fn merge(paths: &Paths, part: &Value) -> Result<PathBuf> {
    let path = paths.target.join("bench.json");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let mut all: Map<String, Value> = serde_json::from_str(&old).unwrap_or_default();
    all.extend(part.as_object().cloned().unwrap_or_default());
    std::fs::write(&path, serde_json::to_vec_pretty(&all)?)
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok(path)
}

/// Writes BENCHMARKS.md from what it was.
pub(crate) fn write_page(paths: &Paths, change: impl FnOnce(&str) -> String) -> Result<()> {
    let path = paths.root.join("BENCHMARKS.md");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let new = change(&old).trim_end().to_owned() + "\n";
    std::fs::write(&path, new).context("could not write BENCHMARKS.md")
}

#[cfg(test)]
mod tests {
    use super::Section;

    #[test]
    fn a_section_is_added_once_and_replaced_afterwards() {
        let page = Section::Gpu.replace("# Benchmarks\n", "first");
        assert!(
            Section::Gpu.of(&page).contains("first") && page.starts_with("# Benchmarks\n\n<!--"),
            "{page}"
        );
        let page = Section::Gpu.replace(&format!("{page}\n## After\n"), "second");
        assert!(page.contains("second") && !page.contains("first"), "{page}");
        assert!(page.ends_with("<!-- gpu: end -->\n\n## After\n"), "{page}");
        assert_eq!(Section::Gpu.of("# Benchmarks"), "");
        let both = Section::Types.replace(&page, "third");
        assert!(
            Section::Gpu.of(&both).contains("second") && Section::Types.of(&both).contains("third"),
            "{both}"
        );
    }
}
