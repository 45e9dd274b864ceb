//! `cargo xtask model add`: a file to an entry of the catalogue.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::catalogue::{self, LOCAL, Model};
use crate::fetch;

/// What whoever adds a model says of it, where the file does not or not well.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    /// SPDX identifier.
    pub license: Option<String>,
    /// Name to show.
    pub name: Option<String>,
}

/// A model file, as `nibble inspect --json` tells of it.
#[derive(Deserialize)]
struct Inspected {
    name: Option<String>,
    license: Option<String>,
    /// None where it cannot be run.
    architecture: Option<String>,
    cannot_run: Option<String>,
    /// The one with the most bytes first.
    types: Vec<TensorType>,
    needs: Option<toml::Table>,
}

#[derive(Deserialize)]
struct TensorType {
    r#type: String,
}

/// Brings the file at `from` into the folder of models and writes its entry there; `inspect` gives what
/// `nibble inspect --json` says of a file.
pub(crate) fn add(
    models: &Path,
    from: &str,
    stated: &Stated,
    inspect: &dyn Fn(&Path) -> Result<String>,
) -> Result<Model> {
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
    let said = inspect(&path).with_context(|| format!("{file} cannot be added"))?;
    let said = serde_json::from_str(&said).context("nibble inspect --json says something else than JSON")?;
    let model = entry(from, &file, said, (bytes, sha256), stated)?;
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
    inspected: Inspected,
    (bytes, sha256): (u64, String),
    stated: &Stated,
) -> Result<Model> {
    if let Some(cause) = inspected.cannot_run {
        bail!("{file} cannot be added, since it cannot be run: {cause}");
    }
    let license = stated.license.clone().or(inspected.license);
    let license =
        license.with_context(|| format!("{file} states no licence; say which with --license SPDX"))?;
    let stem = file.trim_end_matches(".gguf");
    let largest = inspected.types.into_iter().next();
    Ok(Model {
        id: stem.to_lowercase(),
        name: stated.name.clone().or(inspected.name).unwrap_or_else(|| stem.to_owned()),
        license,
        file: file.to_owned(),
        bytes,
        sha256,
        source: if transfer::is_url(from) { from.to_owned() } else { LOCAL.to_owned() },
        architecture: inspected.architecture.context("the file names no architecture")?,
        quantization: largest.context("the file holds no tensors")?.r#type,
        needs: inspected.needs,
        default: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `nibble inspect --json` says, with one thing said otherwise; a test of the program holds its keys.
    fn said(key: &str, value: serde_json::Value) -> impl Fn(&Path) -> Result<String> {
        let mut said = serde_json::json!({
            "file": "Tiny-Q8_0.gguf",
            "bytes": 4,
            "name": "Tiny",
            "license": "MIT",
            "types": [{ "type": "Q8_0", "tensors": 2, "bytes": 68 }, { "type": "F32", "tensors": 1, "bytes": 4 }],
            "architecture": "llama",
            "needs": { "weights": 68, "kv_bytes_per_token": 128, "context": 64, "work": { "decode_bytes": 34 } },
        });
        said[key] = value;
        move |_| Ok(said.to_string())
    }

    const CATALOGUE: &str = include_str!("../../../models/catalogue.toml");

    #[test]
    fn a_file_becomes_an_entry_with_all_that_its_header_says() {
        let folder = std::env::temp_dir().join(format!("nibble-add-{}", std::process::id()));
        let models = folder.join("models");
        fs::create_dir_all(&models).unwrap();
        let list = models.join("catalogue.toml");
        fs::write(&list, CATALOGUE).unwrap();
        let from = folder.join("Tiny-Q8_0.gguf");
        fs::write(&from, "tiny").unwrap();
        let from = from.to_str().unwrap();
        let tiny = said("license", "MIT".into());
        let added = add(&models, from, &Stated::default(), &tiny).unwrap();
        let (bytes, sha256) = transfer::sha256(Path::new(from)).unwrap();
        assert_eq!(
            (added.id.as_str(), added.name.as_str(), added.license.as_str()),
            ("tiny-q8_0", "Tiny", "MIT")
        );
        assert_eq!((added.bytes, &added.sha256, added.source.as_str()), (bytes, &sha256, LOCAL));
        assert_eq!((added.architecture.as_str(), added.quantization.as_str()), ("llama", "Q8_0"));
        let text = fs::read_to_string(&list).unwrap();
        assert!(text.starts_with(CATALOGUE.trim_end()), "what stood there stays as it is: {text}");
        let models_now = catalogue::read(&list).unwrap();
        let last = models_now.last().unwrap();
        assert_eq!((&last.sha256, &last.needs), (&sha256, &added.needs));
        assert_eq!(last.needs.as_ref().unwrap()["work"]["decode_bytes"].as_integer(), Some(34));
        let again = add(&models, from, &Stated::default(), &tiny).unwrap_err().to_string();
        assert!(again.contains("in the catalogue already, as tiny-q8_0"), "{again}");
        // Without a licence in the file one must be stated.
        let silent = folder.join("Silent.gguf");
        fs::write(&silent, "silent").unwrap();
        let silent = silent.to_str().unwrap();
        let without = said("license", serde_json::Value::Null);
        let refused = add(&models, silent, &Stated::default(), &without).unwrap_err().to_string();
        assert!(refused.contains("--license"), "{refused}");
        fs::remove_file(models.join("Silent.gguf")).unwrap();
        let strange = said("cannot_run", "no such architecture".into());
        let refused = add(&models, silent, &Stated::default(), &strange).unwrap_err().to_string();
        assert!(refused.contains("cannot be run: no such architecture"), "{refused}");
        fs::remove_file(models.join("Silent.gguf")).unwrap();
        let stated = Stated { license: Some("Apache-2.0".to_owned()), name: Some("Quiet".to_owned()) };
        let added = add(&models, silent, &stated, &without).unwrap();
        assert_eq!((added.name.as_str(), added.license.as_str()), ("Quiet", "Apache-2.0"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
