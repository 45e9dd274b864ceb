//! Where things lie: the checkout, and cargo's target directory with everything that is made.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command;

/// Folders of one checkout.
pub struct Paths {
    /// The checkout.
    pub root: PathBuf,
    /// The static site.
    pub dist: PathBuf,
    /// Model files.
    pub models: PathBuf,
    /// Cargo's target directory; clones may share it.
    pub target: PathBuf,
    /// What `cargo metadata` says about the workspace's packages.
    pub packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl Package {
    /// Whether it has tests that run in a browser.
    pub fn has_browser_tests(&self) -> bool {
        self.dependencies.iter().any(|d| d.name == "wasm-bindgen-test" && d.kind.as_deref() == Some("dev"))
    }
}

#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
    packages: Vec<Package>,
}

impl Paths {
    /// Asks cargo, so that `CARGO_TARGET_DIR` and configuration files count.
    pub fn find() -> Result<Self> {
        // Compiled in: xtask is always run from the checkout that it was built in.
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("xtask lies in crate/xtask")?;
        let mut cargo = command::cargo(root);
        let json = command::output(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Metadata = serde_json::from_str(&json).context("cargo metadata printed no JSON")?;
        Ok(Self {
            root: root.to_path_buf(),
            dist: root.join("dist"),
            models: root.join("models"),
            target: metadata.target_directory,
            packages: metadata.packages,
        })
    }

    /// Tools installed by the set-up.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// A program of the wasm-bindgen command-line tools, e.g. `wasm-bindgen-test-runner`.
    pub fn wasm_bindgen(&self, version: &str, program: &str) -> PathBuf {
        let program = format!("{program}{}", std::env::consts::EXE_SUFFIX);
        self.tools().join(format!("wasm-bindgen-{version}/bin")).join(program)
    }

    /// Something that npm installed.
    pub fn npm(&self, path: &str) -> PathBuf {
        self.root.join("node_modules").join(path)
    }
}
