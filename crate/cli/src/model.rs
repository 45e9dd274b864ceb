//! Opening the model that a command works on.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use engine::gguf::Gguf;

/// Where `cargo xtask model fetch` puts the default model.
const DEFAULT: &str = "models/SmolLM2-135M-Instruct.Q4_1.gguf";

/// Which model a command works on.
#[derive(clap::Args)]
pub(crate) struct ModelArgs {
    /// GGUF file [default: the default model in models/]
    #[arg(long, value_name = "PATH")]
    pub(crate) model: Option<PathBuf>,
}

impl ModelArgs {
    /// Opens the file and checks its header.
    pub(crate) fn open(&self) -> Result<Gguf<File>> {
        open(self.model.as_deref().unwrap_or(Path::new(DEFAULT)))
    }
}

/// Opens a GGUF file and checks its header.
pub(crate) fn open(path: &Path) -> Result<Gguf<File>> {
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
