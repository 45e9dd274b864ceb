//! House rules that a compiler does not hold: sizes, who may depend on whom, what may be committed, and that
//! model text can only ever be text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tests::workspace;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 40;
/// A kernel is one long straight line of arithmetic; cutting it up hides it.
const KERNEL_LINES: usize = 120;
/// Goldens are small; anything larger is a model or a build output.
const COMMITTED_BYTES: u64 = 2_000_000;

/// Share of comments in our Rust, per cent of the lines that are not empty: fewer leave the reasons out, more
/// retell the code.
const COMMENTS: std::ops::RangeInclusive<f64> = 10.0..=20.0;

/// Who may depend on whom among our own crates; `tests` may on all.
const ARROWS: &[(&str, &[&str])] = &[
    ("figures", &[]),
    ("economics", &["figures"]),
    ("latency", &["figures"]),
    ("protocol", &[]),
    ("engine", &[]),
    ("page", &["economics", "figures", "latency", "protocol"]),
    ("worker", &["engine", "latency", "protocol"]),
    ("nibble", &["economics", "engine", "figures", "latency"]),
    ("xtask", &[]),
];

/// Crates that know no browser, and what they must therefore not name.
const NO_BROWSER: &[&str] = &["figures", "economics", "latency", "protocol", "engine"];
const BROWSER: &[&str] = &["web-sys", "js-sys", "wasm-bindgen", "wasm-bindgen-futures", "leptos"];

/// Ways of turning text into markup.
const MARKUP: &[&str] =
    &["innerHTML", "inner_html", "outerHTML", "outer_html", "insertAdjacentHTML", "document.write"];

/// What git has, plus what it would take: paths relative to the workspace.
fn committed() -> Vec<PathBuf> {
    let git = Command::new("git")
        .current_dir(workspace())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .expect("git is needed to list what is committed");
    assert!(git.status.success(), "git ls-files: {}", String::from_utf8_lossy(&git.stderr));
    let names = String::from_utf8(git.stdout).expect("file names are UTF-8");
    let paths = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    // Deleted, but not yet committed as such.
    paths.filter(|path| workspace().join(path).is_file()).collect()
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

/// One function of a source file.
#[derive(Debug, PartialEq)]
struct Function {
    name: String,
    /// Line of its `fn`, from 1.
    line: usize,
    /// From `fn` to its closing brace, both counted.
    lines: usize,
}

/// Functions with a body, found by indentation. rustfmt, which CI enforces, closes a body with a brace that is
/// indented as the line that began the item.
fn functions(source: &str) -> Vec<Function> {
    let lines: Vec<&str> = source.lines().map(str::trim_end).collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        // A body on the line itself, or a declaration without one.
        if line.ends_with(['}', ';']) {
            continue;
        }
        let closes = |end: &&str| indent(end) == indent(line) && end.ends_with(['}', ';']);
        let end = lines[index + 1..].iter().position(closes).map_or(lines.len(), |offset| index + 1 + offset);
        found.push(Function { name, line: index + 1, lines: end - index + 1 });
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `    pub(crate) async fn name<T>(` as `name`.
fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let qualifier = |word: &str| {
        word.starts_with("pub")
            || matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"" | "default")
    };
    let plain = before.is_empty() || before.ends_with(' ');
    if !plain || !before.split_whitespace().all(qualifier) {
        return None;
    }
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn the_measure_of_functions_is_right() {
    let source = "\
pub fn long(
    a: u32,
) -> u32 {
    let f = |x| {
        x
    };
    f(a)
}
trait T {
    fn declared(&self);
    fn wide(
        &self,
    ) -> u32;
}
impl T for U {
    pub(crate) unsafe fn inner(&self) {
        let text = \"fn not_one() {\";
    }
}
fn one_line() {}
// a fn in words
";
    let found = functions(source);
    let told: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
    assert_eq!(told, [("long", 1, 8), ("wide", 11, 3), ("inner", 16, 3)]);
}

#[test]
fn files_and_functions_stay_small() {
    let mut long = Vec::new();
    for path in
        committed().iter().filter(|path| has_extension(path, &["rs", "mjs", "js", "css", "html", "py"]))
    {
        let source = read(path);
        let lines = source.lines().count();
        if lines > FILE_LINES {
            long.push(format!("{}: {lines} lines, at most {FILE_LINES}", path.display()));
        }
        if !has_extension(path, &["rs"]) {
            continue;
        }
        let kernel = path.starts_with("crate/engine/src/cpu/arch") || path.ends_with("cpu/reference.rs");
        let limit = if kernel { KERNEL_LINES } else { FUNCTION_LINES };
        for Function { name, line, lines } in functions(&source).iter().filter(|f| f.lines > limit) {
            long.push(format!("{}:{line}: fn {name} has {lines} lines, at most {limit}", path.display()));
        }
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn comments_say_why_and_no_more() {
    let (mut comments, mut lines) = (0_u32, 0_u32);
    for path in committed().iter().filter(|path| has_extension(path, &["rs"])) {
        for line in read(path).lines().map(str::trim).filter(|line| !line.is_empty()) {
            lines += 1;
            comments += u32::from(line.starts_with("//"));
        }
    }
    let share = 100.0 * f64::from(comments) / f64::from(lines);
    assert!(COMMENTS.contains(&share), "{share:.1} % of {lines} lines are comments, wanted {COMMENTS:?}");
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
    for path in below("www", &["html"]) {
        let page = read(&path);
        let scripts = page.matches("<script").count();
        let empty = page.matches("></script>").count();
        assert_eq!(scripts, empty, "{}: a script without src is forbidden by the policy", path.display());
        assert!(!page.contains("<style") && !page.contains(" style="), "{}: inline style", path.display());
    }
}
