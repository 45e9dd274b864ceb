//! What the workspace-wide tests share.

use std::path::{Path, PathBuf};

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
