//! The set-up: installs what is missing, names what it cannot install with the command that does.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::paths::Paths;
use crate::step::{note, step};
use crate::{apt, command, digest, model, pip, vulkan};

/// What the tools are for, each including the one before.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub enum For {
    /// Building the site.
    Building,
    /// Using it in a browser, `demo --check`.
    Browsing,
    /// Testing and measuring, native GPU programs included.
    Everything,
}

/// Browser programs of the tests.
pub struct Browser {
    /// Chromium.
    pub chromium: PathBuf,
    /// Its WebDriver.
    pub driver: PathBuf,
}

/// Packages of Debian that bring [`Browser`].
const BROWSER_PACKAGES: &[&str] = &["chromium", "chromium-driver"];

/// Sets up; what is there already is left alone.
pub fn run(paths: &Paths, purpose: For) -> Result<()> {
    step("Rust toolchain", || toolchain(&paths.root))?;
    step("Node and Python", || node().and_then(|()| pip::python().map(|_| ())))?;
    step("wasm-bindgen", || wasm_bindgen(paths))?;
    step("npm packages", || npm(paths))?;
    if purpose >= For::Browsing {
        step("Chromium", || {
            note(browser()?.chromium.display());
            Ok(())
        })?;
    }
    if purpose >= For::Everything {
        step("Vulkan", vulkan::setup)?;
    }
    step("default model", || model::fetch(paths, None))?;
    if purpose >= For::Everything {
        step("models of the tests", || model::fetch_for_tests(paths))?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct ToolchainFile {
    toolchain: Toolchain,
}

#[derive(Deserialize)]
struct Toolchain {
    channel: String,
    components: Vec<String>,
    targets: Vec<String>,
}

/// Installs what rust-toolchain.toml lists, since rustup does so by itself only where it is allowed to.
fn toolchain(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("rust-toolchain.toml")).context("rust-toolchain.toml")?;
    let wanted = toml::from_str::<ToolchainFile>(&text).context("rust-toolchain.toml")?.toolchain;
    let Some(rustup) = command::find(&["rustup"]) else {
        return without_rustup(root, &wanted);
    };
    let channel = ["--toolchain", wanted.channel.as_str()];
    for (kind, names) in [("target", &wanted.targets), ("component", &wanted.components)] {
        let mut list = command::program(&rustup, root);
        let installed = command::output(list.args([kind, "list", "--installed"]).args(channel))?;
        let missing = |name: &&String| !installed.lines().any(|line| line.starts_with(name.as_str()));
        let missing: Vec<&String> = names.iter().filter(missing).collect();
        if !missing.is_empty() {
            note(format!("installing {kind} {missing:?} for {}", wanted.channel));
            let mut add = command::program(&rustup, root);
            command::run(add.args([kind, "add"]).args(channel).args(missing))?;
        }
    }
    note(format!("Rust {} with {}", wanted.channel, wanted.targets.join(", ")));
    Ok(())
}

/// A Rust that did not come from rustup must bring the target itself.
fn without_rustup(root: &Path, wanted: &Toolchain) -> Result<()> {
    let sysroot = command::output(command::program("rustc", root).args(["--print", "sysroot"]))?;
    for target in &wanted.targets {
        if !Path::new(sysroot.trim()).join("lib/rustlib").join(target).is_dir() {
            let channel = &wanted.channel;
            bail!(
                "this Rust cannot compile for {target}, and rustup, which could add it, is not on PATH. Install \
                 rustup from https://rustup.rs, then run: rustup target add {target} --toolchain {channel}"
            );
        }
    }
    Ok(())
}

fn node() -> Result<()> {
    let hint = "install Node 20 or newer from https://nodejs.org, or on Debian: apt-get install nodejs npm";
    for program in ["node", "npm"] {
        if command::find(&[program]).is_none() {
            bail!("{program} is not on PATH; {hint}");
        }
    }
    let version = command::output(command::program("node", Path::new(".")).arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|major| major < 20) {
        bail!("Node is {}, too old for the browser tests; {hint}", version.trim());
    }
    note(format!("Node {}", version.trim()));
    Ok(())
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
}

/// Version of wasm-bindgen in Cargo.lock; the command-line tools must be of exactly that one.
pub(crate) fn wasm_bindgen_version(root: &Path) -> Result<String> {
    let text = std::fs::read_to_string(root.join("Cargo.lock")).context("Cargo.lock")?;
    let lock: Lock = toml::from_str(&text).context("Cargo.lock")?;
    let found = lock.package.into_iter().find(|package| package.name == "wasm-bindgen");
    found
        .map(|package| package.version)
        .context("Cargo.lock lists no wasm-bindgen; run cargo generate-lockfile")
}

fn wasm_bindgen(paths: &Paths) -> Result<()> {
    let version = wasm_bindgen_version(&paths.root)?;
    let programs = ["wasm-bindgen", "wasm-bindgen-test-runner"];
    let works = |program: &&str| {
        let mut ask = command::program(paths.wasm_bindgen(&version, program), &paths.root);
        command::output(ask.arg("--version")).is_ok_and(|said| said.contains(&version))
    };
    if programs.iter().all(works) {
        note(format!("wasm-bindgen-cli {version} is there"));
        return Ok(());
    }
    note(format!("compiling wasm-bindgen-cli {version}, once for this target directory"));
    let mut install = command::cargo(&paths.root);
    install.args(["install", "--locked", "--force", "--version", &version, "--root"]);
    install.arg(paths.tools().join(format!("wasm-bindgen-{version}"))).arg("wasm-bindgen-cli");
    for program in programs {
        install.args(["--bin", program]);
    }
    // It runs for a second per build: less optimising saves minutes of the first set-up.
    install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1").env("CARGO_PROFILE_RELEASE_LTO", "off");
    let build = paths.tools().join("build");
    install.env("CARGO_TARGET_DIR", &build);
    command::run(&mut install)?;
    // Half a gigabyte that nothing needs any more.
    std::fs::remove_dir_all(&build).context("could not remove the build folder of wasm-bindgen-cli")
}

/// Exactly what package-lock.json lists; Playwright's own browsers stay away, Debian's Chromium is used.
fn npm(paths: &Paths) -> Result<()> {
    let read = |file: &str| std::fs::read_to_string(paths.root.join(file)).with_context(|| file.to_string());
    let key = digest::texts([read("package.json")?.as_str(), &read("package-lock.json")?]);
    let mark = paths.npm(".installed-from");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == key) {
        note("as package-lock.json says");
        return Ok(());
    }
    let mut npm = command::program(command::find(&["npm"]).context("npm is not on PATH")?, &paths.root);
    command::run(npm.args(["ci", "--no-audit", "--no-fund"]).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
    std::fs::write(&mark, key).with_context(|| format!("could not write {}", mark.display()))
}

/// Chromium and its driver; installed with apt-get where that is possible.
pub fn browser() -> Result<Browser> {
    if let Some(browser) = find_browser() {
        return Ok(browser);
    }
    let packages = BROWSER_PACKAGES.join(" ");
    apt::install(
        BROWSER_PACKAGES,
        &format!(
            "the browser tests need chromium and chromedriver on PATH. On Debian: sudo apt-get install {packages}; \
             elsewhere install Chromium (or Chrome) with the ChromeDriver of the same version"
        ),
    )?;
    find_browser().with_context(|| format!("apt-get installed {packages}, yet no chromium is on PATH"))
}

fn find_browser() -> Option<Browser> {
    let chromium = command::find(&["chromium", "chromium-browser", "google-chrome", "chrome"])?;
    Some(Browser { chromium, driver: command::find(&["chromedriver"])? })
}

#[cfg(test)]
mod tests {
    use super::wasm_bindgen_version;

    #[test]
    fn the_version_of_wasm_bindgen_is_the_one_that_the_workspace_pins() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let pinned = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let version = wasm_bindgen_version(root).unwrap();
        assert!(pinned.contains(&format!("wasm-bindgen = \"={version}\"")), "{version}");
    }
}
