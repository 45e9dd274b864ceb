//! `--types`: the same model with other tensor types, in a tab beside llama.cpp natively and in a tab, in one run.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use xtask::catalogue::{self, Model};
use xtask::paths::Paths;
use xtask::setup::{self, For};
use xtask::step::{note, step};
use xtask::{build, command, digest, model};

use crate::contenders::Contenders;
use crate::document::{self, Section};
use crate::engines::{self, Engine, Maker};
use crate::machine::{self, About};
use crate::peers;
use crate::prompts::Nibble;
use crate::report::MAIN;
use crate::rounds::{self, Amount, Figures};
use crate::samples::{Answer, agreement, check};

/// The section with names in braces for what a run fills in.
const SECTION: &str = include_str!("../text/types.md");

/// One recipe of llama.cpp's quantiser, and the shares of its native speed that a tab shall reach.
struct Recipe {
    name: &'static str,
    prefill: f64,
    decode: f64,
}

/// What people have. Q4_0 is the type that llama.cpp packs for the widest kernels of this processor.
const RECIPES: [Recipe; 4] = [
    Recipe { name: "Q4_0", prefill: 0.55, decode: 1.0 },
    Recipe { name: "Q4_K_M", prefill: 1.0, decode: 1.0 },
    Recipe { name: "Q6_K", prefill: 1.0, decode: 1.0 },
    Recipe { name: "Q8_0", prefill: 1.0, decode: 1.0 },
];

/// Over wllama's decode speed.
const OVER_WLLAMA: f64 = 8.0;

/// Characters that the greedy answers of one file begin with in common, at least.
const COMMON: usize = 16;

/// One file's figures.
#[derive(Debug, Deserialize, Serialize)]
struct Measured {
    recipe: String,
    bytes: u64,
    sha256: String,
    figures: rounds::All,
    /// What all answers begin with.
    common: String,
}

/// A whole run.
#[derive(Debug, Deserialize, Serialize)]
struct TypesReport {
    about: About,
    browser: String,
    wllama: String,
    llama: String,
    command: String,
    rounds: u32,
    threads: u32,
    /// What the ids of the build begin with that the page takes here.
    build: String,
    engines: Vec<Engine>,
    files: Vec<Measured>,
}

/// Requantises the default model, measures each file in turns, and writes this run's part of bench.json and of
/// BENCHMARKS.md.
pub(crate) fn run(paths: &Paths, threads: u32, count: u32) -> Result<()> {
    ensure!(count >= 3, "a median needs at least 3 rounds, {count} were asked for");
    setup::run(paths, For::Everything)?;
    build::run(paths)?;
    step("nibble, to count tokens", || {
        command::run(command::cargo(&paths.root).args(["build", "--locked", "--package", "nibble"]))
    })?;
    let wllama = step("wllama, from npm", || peers::wllama(paths))?;
    let python = step("llama.cpp, built from PyPI (minutes, the first time)", || peers::llama_cpp(paths))?;
    let catalogue = model::catalogue(paths)?;
    let default = catalogue::choose(&catalogue, None)?;
    let browser = setup::browser()?;
    let folder = paths.target.join("bench/models");
    let amount = Amount { rounds: count, quick: true };
    let mut report: Option<TypesReport> = None;
    for recipe in &RECIPES {
        let model = step(&format!("{} in {}", default.name, recipe.name), || {
            requantised(paths, &python, default, recipe, &folder)
        })?;
        let mut contenders = Contenders::start(paths, &folder, &browser, &model, Some(python.clone()))?;
        let all = engines::all(threads, true);
        let taken =
            |engine: &Engine| engine.build.as_ref().is_none_or(|build| *build == contenders.chosen.build);
        let engines: Vec<Engine> = all.into_iter().filter(taken).collect();
        for engine in &engines {
            contenders.open(engine)?;
        }
        let nibble = Nibble { paths, model: folder.join(&model.file) };
        let mut figures = rounds::All::new();
        step(&format!("{}: answers, in turns", recipe.name), || {
            rounds::answers(&mut contenders, &engines, &nibble, amount, &mut figures)
        })?;
        let common = common(&engines, &figures)?;
        let measured = Measured {
            recipe: recipe.name.into(),
            bytes: model.bytes,
            sha256: model.sha256.clone(),
            figures,
            common,
        };
        let report = report.get_or_insert_with(|| TypesReport {
            about: machine::describe(paths),
            browser: contenders.browser_version.clone(),
            wllama: wllama.clone(),
            llama: contenders.llama_version.clone().unwrap_or_default(),
            command: format!("cargo xtask bench --types --rounds {count} --threads {threads}"),
            rounds: count,
            threads,
            build: short(&engines),
            engines,
            files: Vec::new(),
        });
        report.files.push(measured);
    }
    let report = report.context("there is no recipe to measure")?;
    println!("{}", report.table());
    println!("{}", report.thresholds());
    let json = document::merge(paths, &json!({ "types": report }))?;
    document::write_page(paths, |page| Section::Types.replace(page, &report.markdown()))?;
    note(format!("samples: {}; page: BENCHMARKS.md", json.display()));
    Ok(())
}

/// What the ids of our engines begin with.
fn short(engines: &[Engine]) -> String {
    let ours = engines.iter().find(|engine| engine.maker == Maker::Nibble);
    ours.and_then(|engine| engine.id.rsplit_once('-')).map_or(String::new(), |(build, _)| build.to_owned())
}

/// The default model in another recipe, made once.
fn requantised(
    paths: &Paths,
    python: &Path,
    default: &Model,
    recipe: &Recipe,
    folder: &Path,
) -> Result<Model> {
    std::fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let file = format!("SmolLM2-135M-Instruct.{}.gguf", recipe.name);
    let path = folder.join(&file);
    if !path.is_file() {
        let part: PathBuf = folder.join(format!("{file}.part"));
        let mut quantize = command::program(python, &paths.root);
        quantize.arg("crate/bench/native/quantize.py").arg(paths.models.join(&default.file));
        command::run(quantize.arg(&part).arg(recipe.name))?;
        std::fs::rename(&part, &path)?;
    }
    let bytes = std::fs::metadata(&path)?.len();
    Ok(Model {
        file,
        bytes,
        sha256: digest::file(&path)?,
        quantization: recipe.name.into(),
        ..default.clone()
    })
}

/// What all engines' greedy answers begin with; an error where they part at once.
fn common(engines: &[Engine], all: &rounds::All) -> Result<String> {
    let mut texts = Vec::new();
    for engine in engines {
        let samples = all.get(&engine.id).and_then(|figures| figures.answers.get(&MAIN));
        let samples = samples.with_context(|| format!("{} was not measured", engine.id))?;
        check(&engine.id, samples, MAIN, Answer::Exactly(64))?;
        texts.extend(samples.first().map(|sample| sample.text.as_str()));
    }
    Ok(agreement(&texts, COMMON)?.to_owned())
}

impl TypesReport {
    fn rate(
        file: &Measured,
        id: &str,
        of: fn(&Figures, u32) -> Option<crate::samples::Spread>,
    ) -> Option<f64> {
        of(file.figures.get(id)?, MAIN).map(|spread| spread.median)
    }

    /// Tokens a second of every file and engine.
    fn table(&self) -> String {
        let mut table = format!(
            "| file | MB | engine | threads | prefill {MAIN} | decode at {MAIN} |\n|---|---|---|---|---|---|\n"
        );
        for file in &self.files {
            for engine in &self.engines {
                let told = |spread: Option<crate::samples::Spread>| {
                    spread.map_or("–".to_owned(), |spread| spread.told(1))
                };
                let figures = file.figures.get(&engine.id);
                let prefill = told(figures.and_then(|figures| figures.prefill(MAIN)));
                let decode = told(figures.and_then(|figures| figures.decode(MAIN)));
                let megabytes = file.bytes as f64 / 1e6;
                let Engine { name, threads, .. } = engine;
                let _ = writeln!(
                    table,
                    "| {} | {megabytes:.1} | {name} | {threads} | {prefill} | {decode} |",
                    file.recipe
                );
            }
        }
        table
    }

    /// Ratios of medians beside what they shall reach.
    fn thresholds(&self) -> String {
        let mut table =
            String::from("| file | threads | ratio | wanted | measured | |\n|---|---|---|---|---|---|\n");
        let counts = if self.threads > 1 { vec![1, self.threads] } else { vec![1] };
        for (file, recipe) in self.files.iter().zip(&RECIPES) {
            for threads in &counts {
                let ours = format!("{}-{threads}", self.build);
                let ratios = [
                    (
                        "prefill over llama.cpp, native",
                        "llama",
                        Figures::prefill as fn(&_, _) -> _,
                        recipe.prefill,
                    ),
                    ("decode over llama.cpp, native", "llama", Figures::decode, recipe.decode),
                    ("decode over wllama", "wllama", Figures::decode, OVER_WLLAMA),
                ];
                for (name, peer, of, wanted) in ratios {
                    let ratio =
                        Self::rate(file, &ours, of).zip(Self::rate(file, &format!("{peer}-{threads}"), of));
                    let (told, verdict) = match ratio.map(|(ours, peer)| ours / peer) {
                        None => ("–".to_owned(), "not measured".to_owned()),
                        Some(ratio) if ratio >= wanted => (format!("{ratio:.2}×"), "met".to_owned()),
                        Some(ratio) => {
                            let off = 100.0 * (1.0 - ratio / wanted);
                            (format!("{ratio:.2}×"), format!("**missed by {off:.1} %**"))
                        }
                    };
                    let _ = writeln!(
                        table,
                        "| {} | {threads} | {name} | ≥ {wanted:.2}× | {told} | {verdict} |",
                        file.recipe
                    );
                }
            }
        }
        table
    }

    fn markdown(&self) -> String {
        let About { date, commit, processor, cores, rust, .. } = &self.about;
        let common: Vec<String> =
            self.files.iter().map(|file| format!("{} in {}", file.common.len(), file.recipe)).collect();
        let hashes: Vec<String> =
            self.files.iter().map(|file| format!("{} `{}`", file.recipe, file.sha256)).collect();
        [
            ("table", self.table()),
            ("thresholds", self.thresholds()),
            ("rounds", self.rounds.to_string()),
            ("command", self.command.clone()),
            ("day", format!("{date}, commit {commit}")),
            ("machine", format!("{processor}, {cores} cores")),
            (
                "versions",
                format!("{}, {}, llama-cpp-python {}, {rust}", self.browser, self.wllama, self.llama),
            ),
            ("common", common.join(", ")),
            ("hashes", hashes.join(", ")),
        ]
        .into_iter()
        .fold(SECTION.to_owned(), |page, (name, fact)| page.replace(&format!("{{{name}}}"), &fact))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::TypesReport;
    use crate::engines;

    fn engine(rate: f64) -> Value {
        let sample =
            json!({ "prefill": 2.0 * rate, "decode": rate, "text": "a", "prompt": 128, "tokens": 64 });
        json!({ "answers": { "128": [sample] }, "loads": [] })
    }

    #[test]
    fn every_file_is_held_against_what_it_shall_reach() {
        let about = json!({ "date": "2026-01-02", "commit": "c", "processor": "p", "cores": 2, "memory": "m",
            "system": "s", "rust": "r" });
        let figures = json!({ "simd128-1": engine(60.0), "llama-1": engine(80.0), "wllama-1": engine(6.0) });
        let file = json!({ "recipe": "Q4_0", "bytes": 91_700_000, "sha256": "ab", "figures": figures, "common": "abc" });
        let report: TypesReport = serde_json::from_value(json!({
            "about": about, "browser": "b", "wllama": "w", "llama": "l", "command": "c", "rounds": 3, "threads": 1,
            "build": "simd128", "engines": engines::all(1, true), "files": [file],
        }))
        .unwrap();
        let page = report.markdown();
        assert!(!page.contains('{') && !page.contains('}'), "{page}");
        for expected in [
            "| Q4_0 | 1 | prefill over llama.cpp, native | ≥ 0.55× | 0.75× | met |",
            "| Q4_0 | 1 | decode over llama.cpp, native | ≥ 1.00× | 0.75× | **missed by 25.0 %** |",
            "| Q4_0 | 1 | decode over wllama | ≥ 8.00× | 10.00× | met |",
            "3 in Q4_0",
        ] {
            assert!(page.contains(expected), "{expected} is not in:\n{page}");
        }
    }
}
