//! The static site: wasm variants, the page's files, bundled charts, catalogue and model, put together in dist/.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::catalogue::Model;
use crate::paths::Paths;
use crate::step::{note, step};
use crate::variant::{ENGINES, PAGE};
use crate::{command, fetch, model, size, wasm};

/// Script bundled with its libraries; everything else in www/ is copied as it is.
const BUNDLE: &str = "charts.js";

/// Builds dist/.
pub fn run(paths: &Paths) -> Result<()> {
    let mut folders = variants(paths)?;
    folders.push(step("bundle charts", || bundle(paths))?);
    step("assemble dist/", || {
        let mut site = Site::new(&paths.dist);
        site.add_folder(&paths.root.join("www"), &|path| path != Path::new(BUNDLE))?;
        for folder in &folders {
            site.add_folder(folder, &|_| true)?;
        }
        add_models(&mut site, paths)?;
        site.sweep(&paths.dist)?;
        report(&site)
    })
}

/// Builds every variant, those with shared memory beside the others: each kind has a target folder of its own, and most
/// of a build's time is linking, which works on one core.
fn variants(paths: &Paths) -> Result<Vec<PathBuf>> {
    let build = |shared: bool| -> Result<Vec<PathBuf>> {
        let all = std::iter::once(&PAGE).chain(ENGINES);
        all.filter(|variant| variant.shared == shared).map(|variant| wasm::build(paths, variant)).collect()
    };
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| build(true));
        let mut folders = build(false)?;
        folders.extend(beside.join().expect("a build ends with an error, not with a panic")?);
        Ok(folders)
    })
}

/// Bundles the charts and the style sheets that they import.
fn bundle(paths: &Paths) -> Result<PathBuf> {
    let folder = paths.target.join("site").join("charts");
    let _ = fs::remove_dir_all(&folder);
    let mut esbuild = command::program(paths.npm(".bin/esbuild"), &paths.root);
    esbuild.arg(format!("www/{BUNDLE}"));
    esbuild.args(["--bundle", "--format=esm", "--minify", "--target=es2022", "--log-level=warning"]);
    command::run(esbuild.arg(format!("--outdir={}", folder.display())))?;
    Ok(folder)
}

/// A model as the page reads it from models/catalogue.json.
#[derive(Serialize)]
struct Offer<'a> {
    #[serde(flatten)]
    model: &'a Model,
    /// Address of the file, relative to the page.
    url: String,
}

/// Every model of the catalogue whose file is here, and the list of them.
fn add_models(site: &mut Site, paths: &Paths) -> Result<()> {
    let models = model::catalogue(paths)?;
    let here: Vec<&Model> = models.iter().filter(|model| paths.models.join(&model.file).is_file()).collect();
    for model in &here {
        site.link(&paths.models.join(&model.file), Path::new("models").join(&model.file))?;
    }
    let offers: Vec<Offer> =
        here.into_iter().map(|model| Offer { model, url: format!("models/{}", model.file) }).collect();
    site.write(Path::new("models/catalogue.json"), &serde_json::to_vec_pretty(&offers)?)
}

/// What belongs in dist/; a file that is right already is not touched.
struct Site {
    dist: PathBuf,
    files: Vec<PathBuf>,
}

impl Site {
    fn new(dist: &Path) -> Self {
        Self { dist: dist.to_path_buf(), files: Vec::new() }
    }

    /// Every file below `folder` that `wanted` says yes to; hidden files stay behind.
    fn add_folder(&mut self, folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<()> {
        for path in files_below(folder)? {
            let relative = path.strip_prefix(folder)?;
            let hidden = relative.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if wanted(relative) && !hidden {
                let data = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
                self.write(relative, &data)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, relative: &Path, data: &[u8]) -> Result<()> {
        let to = self.place(relative)?;
        if fs::read(&to).is_ok_and(|present| present == data) {
            return Ok(());
        }
        fs::write(&to, data).with_context(|| format!("could not write {}", to.display()))
    }

    /// For large files: linked anew, because the old link may name other bytes.
    fn link(&mut self, from: &Path, relative: PathBuf) -> Result<()> {
        let to = self.place(&relative)?;
        let _ = fs::remove_file(&to);
        fetch::link_or_copy(from, &to)
    }

    fn place(&mut self, relative: &Path) -> Result<PathBuf> {
        let to = self.dist.join(relative);
        let folder = to.parent().unwrap_or(&self.dist);
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
        self.files.push(to.clone());
        Ok(to)
    }

    /// Removes what an earlier build left.
    fn sweep(&self, dist: &Path) -> Result<()> {
        for path in files_below(dist)? {
            if !self.files.contains(&path) {
                fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.append(&mut files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Sizes of what a visitor downloads: as it lies there, and as most hosts send it.
fn report(site: &Site) -> Result<()> {
    note(format!("{:<44} {:>10} {:>10}", "dist/", "raw", "gzip"));
    let mut raw = 0;
    let mut zipped = 0;
    for path in &site.files {
        let name = path.strip_prefix(&site.dist)?.display().to_string();
        let bytes = fs::metadata(path)?.len();
        if name.ends_with(".gguf") {
            note(format!("{name:<44} {:>10} {:>10}", size::human(bytes), "-"));
            continue;
        }
        let gzip = size::gzip(&fs::read(path)?)? as u64;
        raw += bytes;
        zipped += gzip;
        if bytes >= 4_096 {
            note(format!("{name:<44} {:>10} {:>10}", size::human(bytes), size::human(gzip)));
        }
    }
    note(format!("{:<44} {:>10} {:>10}", "all but the model", size::human(raw), size::human(zipped)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::Site;

    #[test]
    fn a_site_takes_what_is_wanted_and_loses_what_an_earlier_build_left() {
        let folder = std::env::temp_dir().join(format!("nibble-site-{}", std::process::id()));
        let www = folder.join("www");
        let dist = folder.join("dist");
        fs::create_dir_all(www.join("icons")).unwrap();
        fs::create_dir_all(&dist).unwrap();
        for file in ["index.html", "charts.js", ".made-from", "icons/a.svg"] {
            fs::write(www.join(file), file).unwrap();
        }
        fs::write(dist.join("old.wasm"), "").unwrap();
        let mut site = Site::new(&dist);
        site.add_folder(&www, &|path| path != Path::new("charts.js")).unwrap();
        site.link(&www.join("charts.js"), "models/linked".into()).unwrap();
        site.sweep(&dist).unwrap();
        let found = super::files_below(&dist).unwrap();
        let found: Vec<_> =
            found.iter().map(|path| path.strip_prefix(&dist).unwrap().display().to_string()).collect();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, ["icons/a.svg", "index.html", "models/linked"]);
    }
}
