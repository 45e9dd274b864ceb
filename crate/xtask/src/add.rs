//! `cargo xtask model add`: a file to an entry of the catalogue.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::catalogue::{self, LOCAL, Model};
use crate::fetch;
use crate::header::Header;

/// What whoever adds a model says of it, where the file does not or not well.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// SPDX identifier.
    pub license: Option<String>,
    /// Name to show.
    pub name: Option<String>,
}

/// Brings the file at `from` into the folder of models and writes its entry there.
pub(crate) fn add(models: &Path, from: &str, stated: &Stated) -> Result<Model> {
    let list = models.join("catalogue.toml");
    let known = catalogue::read(&list)?;
    let file = match transfer::is_url(from) {
        true => transfer::file_name(from)?.to_owned(),
        false => {
            let name = Path::new(from).file_name().and_then(|name| name.to_str());
            name.with_context(|| format!("{from}: names no file"))?.to_owned()
        }
    };
    if let Some(model) = known.iter().find(|model| model.file == file) {
        bail!("{file} is in the catalogue already, as {}", model.id);
    }
    let path = models.join(&file);
    let (bytes, sha256) = if transfer::is_url(from) {
        let received = transfer::file(from, &path, transfer::Expected::default(), &mut fetch::said())?;
        (received.bytes, received.sha256)
    } else {
        bring(Path::new(from), &path)?;
        transfer::sha256(&path)?
    };
    let model = entry(from, &file, &path, (bytes, sha256), stated)?;
    catalogue::append(&list, &model)?;
    Ok(model)
}

/// Links or copies a file into the folder; one that is there already is left alone.
fn bring(from: &Path, to: &Path) -> Result<()> {
    ensure!(from.is_file(), "{}: there is no such file", from.display());
    if fs::canonicalize(from).ok().is_some_and(|from| fs::canonicalize(to).is_ok_and(|to| from == to)) {
        return Ok(());
    }
    ensure!(
        !to.exists(),
        "{} is there already and is no part of the catalogue; remove it first",
        to.display()
    );
    fetch::link_or_copy(from, to)
}

fn entry(
    from: &str,
    file: &str,
    path: &Path,
    (bytes, sha256): (u64, String),
    stated: &Stated,
) -> Result<Model> {
    let header = Header::read(path).with_context(|| format!("{file} cannot be added"))?;
    let license = stated.license.clone().or_else(|| header.text("general.license").map(str::to_owned));
    let license =
        license.with_context(|| format!("{file} states no licence; say which with --license SPDX"))?;
    let stem = file.trim_end_matches(".gguf");
    let name = stated.name.clone().or_else(|| header.text("general.name").map(str::to_owned));
    Ok(Model {
        id: stem.to_lowercase(),
        name: name.unwrap_or_else(|| stem.to_owned()),
        license,
        file: file.to_owned(),
        bytes,
        sha256,
        source: if transfer::is_url(from) { from.to_owned() } else { LOCAL.to_owned() },
        architecture: header
            .text("general.architecture")
            .context("the file names no architecture")?
            .to_owned(),
        quantization: header.quantization().context("the file holds no tensors")?,
        needs: header.needs(),
        default: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Needs;
    use crate::header::tests::tiny;

    const CATALOGUE: &str = include_str!("../../../models/catalogue.toml");

    #[test]
    fn a_file_becomes_an_entry_with_all_that_its_header_says() {
        let folder = std::env::temp_dir().join(format!("nibble-add-{}", std::process::id()));
        let models = folder.join("models");
        fs::create_dir_all(&models).unwrap();
        let list = models.join("catalogue.toml");
        fs::write(&list, CATALOGUE).unwrap();
        let from = folder.join("Tiny-Q8_0.gguf");
        fs::write(&from, tiny(Some("MIT"))).unwrap();
        let from = from.to_str().unwrap();
        let added = add(&models, from, &Stated::default()).unwrap();
        let (bytes, sha256) = transfer::sha256(Path::new(from)).unwrap();
        assert_eq!(
            (added.id.as_str(), added.name.as_str(), added.license.as_str()),
            ("tiny-q8_0", "Tiny", "MIT")
        );
        assert_eq!((added.bytes, &added.sha256, added.source.as_str()), (bytes, &sha256, LOCAL));
        assert_eq!((added.architecture.as_str(), added.quantization.as_str()), ("llama", "Q8_0"));
        // 2 layers of 1 key-value head of 16, keys and values, two bytes each.
        assert_eq!(added.needs, Some(Needs { weights: 2 * 34, kv_bytes_per_token: 128, context: 64 }));
        let text = fs::read_to_string(&list).unwrap();
        assert!(text.starts_with(CATALOGUE.trim_end()), "what stood there stays as it is: {text}");
        let models_now = catalogue::read(&list).unwrap();
        assert_eq!(models_now.last().unwrap().sha256, sha256);
        let again = add(&models, from, &Stated::default()).unwrap_err().to_string();
        assert!(again.contains("in the catalogue already, as tiny-q8_0"), "{again}");
        // Without a licence in the file one must be stated.
        let silent = folder.join("Silent.gguf");
        fs::write(&silent, tiny(None)).unwrap();
        let silent = silent.to_str().unwrap();
        let refused = format!("{:#}", add(&models, silent, &Stated::default()).unwrap_err());
        assert!(refused.contains("--license"), "{refused}");
        let stated = Stated { license: Some("Apache-2.0".to_owned()), name: Some("Quiet".to_owned()) };
        fs::remove_file(models.join("Silent.gguf")).unwrap();
        let added = add(&models, silent, &stated).unwrap();
        assert_eq!((added.name.as_str(), added.license.as_str()), ("Quiet", "Apache-2.0"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
