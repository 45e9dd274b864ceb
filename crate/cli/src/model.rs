//! Opening the model that a command works on.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use engine::gguf::Gguf;

use crate::output;

/// Where `cargo xtask model fetch` puts the default model.
const DEFAULT: &str = "models/SmolLM2-135M-Instruct.Q4_1.gguf";

/// Which model a command works on.
#[derive(clap::Args)]
pub(crate) struct ModelArgs {
    /// GGUF file, or its https address, which is downloaded once [default: the default model in models/]
    #[arg(long, value_name = "PATH|URL")]
    pub(crate) model: Option<PathBuf>,
}

impl ModelArgs {
    /// Opens the file and checks its header.
    pub(crate) fn open(&self) -> Result<Gguf<File>> {
        open(self.model.as_deref().unwrap_or(Path::new(DEFAULT)))
    }
}

/// Opens a GGUF file and checks its header; one with an address is downloaded unless it is here already.
pub(crate) fn open(path: &Path) -> Result<Gguf<File>> {
    if let Some(url) = path.to_str().filter(|text| transfer::is_url(text)) {
        return open_file(&downloaded(url)?);
    }
    open_file(path)
}

/// Where the file of an address lies in this user's cache, after it was downloaded if it was not there.
fn downloaded(url: &str) -> Result<PathBuf> {
    let name = transfer::file_name(url)?;
    let path = cached(&cache()?, url);
    if path.exists() {
        return Ok(path);
    }
    let mut percent = None;
    let mut told = |event| match event {
        transfer::Event::Resumed(bytes) => output::note(format_args!("going on after {bytes} bytes\n")),
        transfer::Event::StartedOver(_) => {
            output::note(format_args!("starting over: the server does not go on from where it broke off\n"));
        }
        transfer::Event::Progress(done, total) => {
            let now = total.map_or(0, |total| done * 100 / total.max(1));
            if percent.replace(now) != Some(now) {
                output::note(format_args!("\r{name}: {now} %"));
            }
        }
    };
    let received = transfer::file(url, &path, transfer::Expected::default(), &mut told);
    if percent.is_some() {
        output::note(format_args!("\n"));
    }
    let received = received?;
    output::note(format_args!("{}: {} bytes, sha256 {}\n", path.display(), received.bytes, received.sha256));
    Ok(path)
}

/// Host and path of an address as folders: two addresses may end in one name.
fn cached(cache: &Path, url: &str) -> PathBuf {
    let place =
        url.split_once("://").map_or(url, |(_, rest)| rest).split(['?', '#']).next().unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let names = place.split('/').filter(|name| name.chars().any(|c| c != '.'));
    names.fold(cache.to_owned(), |path, name| path.join(name.chars().map(plain).collect::<String>()))
}

/// This user's folder for what can be fetched again.
fn cache() -> Result<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || {
        of("HOME").map(|home| home.join(if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" }))
    };
    let folder = of("XDG_CACHE_HOME").or_else(|| of("LOCALAPPDATA")).or_else(home);
    Ok(folder.context("this system names no folder for caches; set XDG_CACHE_HOME")?.join("nibble"))
}

fn open_file(path: &Path) -> Result<Gguf<File>> {
    if !path.exists() {
        let hint = if path == Path::new(DEFAULT) {
            "fetch it with `cargo xtask model fetch`, or name a file with --model"
        } else {
            "check the path"
        };
        bail!("{}: there is no such file; {hint}", path.display());
    }
    if path.is_dir() {
        bail!("{}: this is a folder; name a .gguf file", path.display());
    }
    let file = File::open(path).with_context(|| format!("{}: cannot be opened", path.display()))?;
    Ok(Gguf::open(&path.display().to_string(), file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_place_within_the_cache() {
        let at = |url| cached(Path::new("c"), url).display().to_string().replace('\\', "/");
        assert_eq!(at("https://example.com/a/b/m.gguf?x=/y#z"), "c/example.com/a/b/m.gguf");
        assert_eq!(at("http://127.0.0.1:80//../%2e/m.gguf"), "c/127.0.0.1_80/_2e/m.gguf");
    }
}
