//! House rules that a compiler does not hold: who may depend on whom, what may be committed, and that model text
//! can only ever be text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::workspace;

/// Goldens are small; anything larger is a model or a build output.
const COMMITTED_BYTES: u64 = 2_000_000;

/// Who may depend on whom among our own crates; `tests` may on all.
const ARROWS: &[(&str, &[&str])] = &[
    ("figures", &[]),
    ("economics", &["figures"]),
    ("latency", &["figures"]),
    ("protocol", &[]),
    ("engine", &["protocol"]),
    ("page", &["economics", "figures", "latency", "protocol"]),
    ("worker", &["engine", "latency", "protocol"]),
    ("nibble", &["economics", "engine", "figures", "latency", "transfer"]),
    ("fuzz", &["engine"]),
    ("transfer", &[]),
    ("xtask", &["transfer"]),
    // Developer tools both; nothing of the product is linked into either.
    ("bench", &["xtask"]),
];

/// Crates that know no browser, and what they must therefore not name.
const NO_BROWSER: &[&str] = &["figures", "economics", "latency", "protocol", "engine", "transfer"];
const BROWSER: &[&str] = &["web-sys", "js-sys", "wasm-bindgen", "wasm-bindgen-futures", "leptos"];

/// Ways of turning text into markup.
const MARKUP: &[&str] =
    &["innerHTML", "inner_html", "outerHTML", "outer_html", "insertAdjacentHTML", "document.write"];

/// What is committed in this workspace.
fn committed() -> Vec<PathBuf> {
    tests::committed(workspace())
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|extension| extensions.iter().any(|e| extension == *e))
}

fn read(path: &Path) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below `folder`, or none if it is not there.
fn below(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    committed()
        .into_iter()
        .filter(|path| path.starts_with(folder) && has_extension(path, extensions))
        .collect()
}

/// Names of normal and build dependencies of each package of the workspace, for every target.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = Command::new(env!("CARGO"))
        .current_dir(workspace())
        .args(["metadata", "--no-deps", "--locked", "--format-version", "1"])
        .output()
        .expect("cargo could not be started");
    assert!(cargo.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("cargo metadata prints JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_string();
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let of = |package: &Value| {
        let kept = list(&package["dependencies"]).into_iter().filter(|d| d["kind"].as_str() != Some("dev"));
        kept.map(|dependency| text(&dependency["name"])).collect()
    };
    list(&metadata["packages"]).iter().map(|package| (text(&package["name"]), of(package))).collect()
}

#[test]
fn no_forbidden_arrow_between_crates() {
    let dependencies = dependencies();
    let ours: BTreeSet<&String> = dependencies.keys().collect();
    for (name, _) in ARROWS {
        assert!(dependencies.contains_key(*name), "{name} stands in ARROWS and is no package");
    }
    let mut forbidden = Vec::new();
    for (package, uses) in dependencies.iter().filter(|(package, _)| *package != "tests") {
        let allowed = ARROWS.iter().find(|(name, _)| name == package);
        let (_, allowed) =
            allowed.unwrap_or_else(|| panic!("{package} is new: say in ARROWS what it may depend on"));
        let wrong = uses.iter().filter(|name| ours.contains(name) && !allowed.contains(&name.as_str()));
        forbidden.extend(wrong.map(|name| format!("{package} -> {name}")));
        if NO_BROWSER.contains(&package.as_str()) {
            let wrong = uses.iter().filter(|name| BROWSER.contains(&name.as_str()));
            forbidden.extend(wrong.map(|name| format!("{package} -> {name}")));
        }
    }
    assert!(forbidden.is_empty(), "forbidden by ARCHITECTURE.md: {}", forbidden.join(", "));
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let manifests: Vec<_> = committed().into_iter().filter(|path| path.ends_with("Cargo.toml")).collect();
    assert!(manifests.len() > 8, "only {} manifests found", manifests.len());
    for path in manifests.iter().filter(|path| path.components().count() > 1) {
        assert!(read(path).contains("[lints]\nworkspace = true"), "{} does not take them", path.display());
    }
}

#[test]
fn no_weights_and_nothing_large_is_committed() {
    const WEIGHTS: &[&str] = &["gguf", "safetensors", "bin", "onnx", "pt", "part", "whl"];
    for path in committed() {
        assert!(!has_extension(&path, WEIGHTS), "{} looks like weights", path.display());
        let bytes = fs::metadata(workspace().join(&path)).map_or(0, |data| data.len());
        assert!(bytes <= COMMITTED_BYTES, "{} has {bytes} bytes, at most {COMMITTED_BYTES}", path.display());
    }
}

#[test]
fn model_text_can_only_become_text() {
    let mut sources = below("crate/page", &["rs"]);
    sources.extend(below("crate/worker", &["rs"]));
    sources.extend(below("www", &["js", "html"]));
    assert!(sources.len() > 20, "only {} sources found", sources.len());
    for path in sources {
        let source = read(&path);
        for way in MARKUP {
            assert!(!source.contains(way), "{} uses {way}: text from a model must stay text", path.display());
        }
    }
}

#[test]
fn page_and_server_state_the_same_strict_policy() {
    let page = read(Path::new("www/index.html"));
    let (_, after) = page
        .split_once(r#"http-equiv="Content-Security-Policy" content=""#)
        .expect("index.html states a policy");
    let (stated, _) = after.split_once('"').expect("the policy ends");
    let sent = read(Path::new("crate/xtask/src/csp.txt"));
    assert_eq!(stated, sent.trim_end(), "www/index.html and crate/xtask/src/csp.txt differ");
    assert!(
        stated.starts_with("default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval';"),
        "{stated}"
    );
    for loose in ["'unsafe-inline'", "'unsafe-eval'", "http:", "https:", "data:", "*"] {
        assert!(!stated.contains(loose), "the policy allows {loose}");
    }
}

#[test]
fn the_page_has_no_inline_script_or_style() {
    let pages = below("www", &["html"]);
    assert!(!pages.is_empty(), "no page found");
    for path in pages {
        let page = read(&path);
        let scripts = page.matches("<script").count();
        let empty = page.matches("></script>").count();
        assert_eq!(scripts, empty, "{}: a script without src is forbidden by the policy", path.display());
        assert!(!page.contains("<style") && !page.contains(" style="), "{}: inline style", path.display());
    }
}
