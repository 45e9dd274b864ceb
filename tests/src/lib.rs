//! What the workspace-wide tests share.

use std::path::{Path, PathBuf};
use std::process::Command;

pub mod architectures;
pub mod circles;
mod keys;
pub mod vocabulary;

/// Root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The real model: `NIBBLE_MODEL`, or the default model in `models/`.
///
/// # Panics
/// When it is not there: a test on the real model never passes without it.
pub fn model() -> PathBuf {
    let path = std::env::var_os("NIBBLE_MODEL")
        .map_or_else(|| workspace().join("models/SmolLM2-135M-Instruct.Q4_1.gguf"), PathBuf::from);
    assert!(path.exists(), "{} is missing; fetch it with `cargo xtask model fetch`", path.display());
    path
}

/// Gemma 3 270M in Q4_K_M, a base model that expects a beginning token.
///
/// # Panics
/// When it is not there.
pub fn gemma() -> PathBuf {
    let path = workspace().join("models/gemma-3-270m-q4_k_m.gguf");
    assert!(path.exists(), "{} is missing; fetch it with `cargo xtask setup`", path.display());
    path
}

/// Files of a checkout that git has, plus those it would take: paths relative to `tree`.
///
/// # Panics
/// Without git.
pub fn committed(tree: &Path) -> Vec<PathBuf> {
    let git = Command::new("git")
        .current_dir(tree)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git is needed to list what is committed");
    assert!(git.status.success(), "git ls-files: {}", String::from_utf8_lossy(&git.stderr));
    let names = String::from_utf8(git.stdout).expect("file names are UTF-8");
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    // Deleted, but not yet committed as such.
    paths.filter(|path| tree.join(path).is_file()).collect()
}
