//! Skipping a step whose inputs did not change.

use std::path::Path;

use anyhow::{Context, Result};

/// Runs `make` unless `folder` was made from the same `key` (a digest of everything that goes in).
///
/// The folder is emptied first, and marked only after `make` succeeded. Gives whether it ran.
pub fn unless_made(folder: &Path, key: &str, make: impl FnOnce() -> Result<()>) -> Result<bool> {
    let mark = folder.join(".made-from");
    if std::fs::read_to_string(&mark).is_ok_and(|made_from| made_from == key) {
        return Ok(false);
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("could not empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    make()?;
    std::fs::write(&mark, key).with_context(|| format!("could not write {}", mark.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::unless_made;

    #[test]
    fn a_step_runs_once_per_key_and_again_after_a_failure() {
        let folder = std::env::temp_dir().join(format!("nibble-stamp-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        assert!(unless_made(&folder, "a", || Ok(())).unwrap());
        assert!(!unless_made(&folder, "a", || panic!("made twice")).unwrap());
        std::fs::write(folder.join("left-over"), "").unwrap();
        assert!(unless_made(&folder, "b", || anyhow::bail!("broken")).is_err());
        assert!(!folder.join("left-over").exists());
        assert!(unless_made(&folder, "b", || Ok(())).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
