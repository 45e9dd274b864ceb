//! What native WebGPU needs: a Vulkan loader and a driver. A machine without a GPU gets Mesa's lavapipe, a driver
//! that computes on the processor.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::step::note;
use crate::{apt, command};

/// Packages of Debian that bring the loader and lavapipe.
const PACKAGES: [&str; 2] = ["libvulkan1", "mesa-vulkan-drivers"];

/// The loader, by the name that programs open it by.
const LOADER: &str = "libvulkan.so.1";

/// Makes sure that there is a loader and a driver; elsewhere than on Linux the system brings a GPU interface.
pub(crate) fn setup() -> Result<()> {
    if !cfg!(target_os = "linux") {
        note("this system has a GPU interface of its own");
        return Ok(());
    }
    if loader().is_none() || drivers().is_empty() {
        let packages = PACKAGES.join(" ");
        apt::install(
            &PACKAGES,
            &format!(
                "the native GPU tests need a Vulkan loader ({LOADER}) and a driver. On Debian: sudo apt-get \
                 install {packages}; elsewhere install your system's Vulkan loader and Mesa's Vulkan drivers"
            ),
        )?;
    }
    let loader =
        loader().with_context(|| format!("apt-get installed {PACKAGES:?}, yet there is no {LOADER}"))?;
    let drivers = drivers();
    let first = drivers.first().with_context(|| format!("{} is there, but no driver", loader.display()))?;
    note(format!("{}, drivers: {}", loader.display(), drivers.len()));
    note(lavapipe().as_ref().unwrap_or(first).display());
    Ok(())
}

/// Description of the driver that computes on the processor, for programs that shall see no other.
pub fn lavapipe() -> Option<PathBuf> {
    drivers()
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp")))
}

/// Where the loader is, as the dynamic linker's cache or the usual folders say.
fn loader() -> Option<PathBuf> {
    let linker = command::find(&["ldconfig"]).unwrap_or_else(|| "/sbin/ldconfig".into());
    let cache = command::output(command::program(linker, Path::new(".")).arg("-p")).unwrap_or_default();
    let cached = cache.lines().filter(|line| line.trim_start().starts_with(LOADER));
    let cached =
        cached.filter_map(|line| line.rsplit_once("=> ")).map(|(_, path)| PathBuf::from(path.trim()));
    let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let named = std::env::split_paths(&named).collect::<Vec<_>>();
    let usual = ["/usr/lib64", "/usr/lib", "/usr/local/lib"].map(PathBuf::from);
    let folders = named.into_iter().chain(usual).map(|folder| folder.join(LOADER));
    cached.chain(folders).find(|path| path.is_file())
}

/// Descriptions of drivers, where the loader would look for them.
fn drivers() -> Vec<PathBuf> {
    for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        if let Some(files) = std::env::var_os(variable) {
            return std::env::split_paths(&files).filter(|path| path.is_file()).collect();
        }
    }
    let named = std::env::var_os("XDG_DATA_DIRS").unwrap_or_default();
    let named = std::env::split_paths(&named).collect::<Vec<_>>();
    let usual = ["/etc", "/usr/local/share", "/usr/share"].map(PathBuf::from);
    let mut files: Vec<PathBuf> = named
        .into_iter()
        .chain(usual)
        .flat_map(|folder| descriptions(&folder.join("vulkan/icd.d")))
        .collect();
    files.sort();
    files.dedup();
    files
}

fn descriptions(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

#[cfg(test)]
mod tests {
    use super::descriptions;

    #[test]
    fn drivers_are_the_json_files_of_a_folder() {
        let folder = std::env::temp_dir().join(format!("nibble-icd-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for file in ["lvp_icd.x86_64.json", "README"] {
            std::fs::write(folder.join(file), "{}").unwrap();
        }
        assert_eq!(descriptions(&folder), [folder.join("lvp_icd.x86_64.json")]);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(descriptions(&folder).is_empty());
    }
}
