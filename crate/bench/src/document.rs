//! bench.json and BENCHMARKS.md, which several runs write parts of.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use xtask::paths::Paths;

/// Around the part of BENCHMARKS.md that `--gpu` writes.
const MARKS: (&str, &str) = ("<!-- gpu: begin -->", "<!-- gpu: end -->");

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

/// What `--gpu` wrote into a page, marks included; empty where it did not.
pub(crate) fn gpu_section(page: &str) -> &str {
    let Some(begin) = page.find(MARKS.0) else { return "" };
    let end = page[begin..].find(MARKS.1).map_or(page.len(), |end| begin + end + MARKS.1.len());
    &page[begin..end]
}

/// A page with another section of `--gpu`, at the place of the old one or at the end.
pub(crate) fn with_gpu_section(page: &str, section: &str) -> String {
    let section = format!("{}\n{}\n{}", MARKS.0, section.trim_end(), MARKS.1);
    match gpu_section(page) {
        "" => format!("{}\n\n{section}\n", page.trim_end()),
        old => page.replacen(old, &section, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{gpu_section, with_gpu_section};

    #[test]
    fn a_section_is_added_once_and_replaced_afterwards() {
        let page = with_gpu_section("# Benchmarks\n", "first");
        assert!(gpu_section(&page).contains("first") && page.starts_with("# Benchmarks\n\n<!--"), "{page}");
        let page = with_gpu_section(&format!("{page}\n## After\n"), "second");
        assert!(page.contains("second") && !page.contains("first"), "{page}");
        assert!(page.ends_with("<!-- gpu: end -->\n\n## After\n"), "{page}");
        assert_eq!(gpu_section("# Benchmarks"), "");
    }
}
