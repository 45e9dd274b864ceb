//! `--types`: the same model with other tensor types, and Gemma, in a tab beside llama.cpp natively and in a tab; and what
//! our own program makes of a text beside llama.cpp; all in one run.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
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

/// What is measured of one file.
struct Subject {
    /// For people: a recipe of llama.cpp's quantiser that the default model is written in, or another model.
    name: &'static str,
    /// Id of that other model, a Gemma without a template, among those of the tests.
    other: Option<&'static str>,
    /// Shares of llama.cpp's native speed that a tab shall reach, prefill and decode; none where only quality counts.
    speed: Option<(f64, f64)>,
}

const fn recipe(name: &'static str, speed: Option<(f64, f64)>) -> Subject {
    Subject { name, other: None, speed }
}

/// What people have. Q4_0 is the type that llama.cpp packs for the widest kernels of this processor.
const SUBJECTS: [Subject; 7] = [
    recipe("Q4_0", Some((0.55, 1.0))),
    recipe("Q4_1", None),
    recipe("Q4_K_M", Some((1.0, 1.0))),
    recipe("Q5_K_M", None),
    recipe("Q6_K", Some((1.0, 1.0))),
    recipe("Q8_0", Some((1.0, 1.0))),
    Subject { name: "Gemma 3 270M, Q4_K_M", other: Some("gemma-3-270m-q4_k_m"), speed: Some((1.0, 1.0)) },
];

/// Over wllama's decode speed.
const OVER_WLLAMA: f64 = 8.0;

/// Share by which our perplexity may differ from llama.cpp's.
const PERPLEXITY: f64 = 0.01;

/// The text, a committed file of the tests, and tokens in a chunk of it.
const TEXT: &str = "tests/golden/english.txt";
const CHUNK: u32 = 512;

/// One file's figures.
#[derive(Debug, Deserialize, Serialize)]
struct Measured {
    recipe: String,
    bytes: u64,
    sha256: String,
    figures: rounds::All,
    /// What all engines' answers begin with; nothing where the first token is nearly a tie.
    common: String,
}

/// What our program and llama.cpp make of one text with the same file, by the same procedure.
#[derive(Debug, Deserialize, Serialize)]
struct Quality {
    file: String,
    sha256: String,
    /// How many llama.cpp's tokens are.
    tokens: usize,
    /// Whether ours are the same.
    same: bool,
    /// Perplexity.
    ours: f64,
    /// llama.cpp's.
    theirs: f64,
}

/// What the script beside this crate says of a text.
#[derive(Deserialize)]
struct Read {
    ids: Vec<u32>,
    perplexity: f64,
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
    quality: Vec<Quality>,
}

/// Requantises the default model, measures each file's quality and, in turns, its speed, and writes this run's part of bench.json and of
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
    let amount = Amount { rounds: count, lengths: (MAIN, MAIN) };
    let others = model::for_tests(paths)?;
    let mut report: Option<TypesReport> = None;
    let mut qualities = Vec::new();
    let mut failed = None;
    for subject in &SUBJECTS {
        let (model, folder) = match subject.other {
            Some(id) => (catalogue::choose(&others, Some(id))?.clone(), &paths.models),
            None if default.quantization == subject.name => (default.clone(), &paths.models),
            None => {
                let name = format!("{} in {}", default.name, subject.name);
                let make = || requantised(paths, &python, default, subject.name, &folder);
                (step(&name, make)?, &folder)
            }
        };
        let gemma = subject.other.is_some();
        let nibble = Nibble { paths, model: folder.join(&model.file), gemma };
        qualities.push(step(&format!("{}: a text", subject.name), || {
            quality(paths, &python, subject, &model, &nibble)
        })?);
        if subject.speed.is_none() {
            continue;
        }
        let mut contenders = Contenders::start(paths, folder, &browser, &model, Some(python.clone()))?;
        let all = engines::all(threads, true);
        let taken =
            |engine: &Engine| engine.build.as_ref().is_none_or(|build| *build == contenders.chosen.build);
        let engines: Vec<Engine> = all.into_iter().filter(taken).collect();
        for engine in &engines {
            contenders.open(engine)?;
        }
        let mut figures = rounds::All::new();
        let answered = step(&format!("{}: answers, in turns", subject.name), || {
            rounds::answers(&mut contenders, &engines, &nibble, amount, &mut figures)?;
            common(&engines, &figures)
        });
        let common = match answered {
            Ok(common) => common,
            // What was measured before is written all the same.
            Err(error) => {
                failed = Some(error.context(format!("{} was not measured", subject.name)));
                break;
            }
        };
        let measured = Measured {
            recipe: subject.name.into(),
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
            quality: Vec::new(),
        });
        report.files.push(measured);
    }
    let Some(mut report) = report else {
        return Err(failed.unwrap_or_else(|| anyhow!("there is nothing to measure")));
    };
    report.quality = qualities;
    println!("{}\n{}\n{}", report.table(), report.thresholds(), report.qualities());
    let json = document::merge(paths, &json!({ "types": report }))?;
    document::write_page(paths, |page| Section::Types.replace(page, &report.markdown()))?;
    note(format!("samples: {}; page: BENCHMARKS.md", json.display()));
    failed.map_or(Ok(()), Err)
}

/// What the ids of our engines begin with.
fn short(engines: &[Engine]) -> String {
    let ours = engines.iter().find(|engine| engine.maker == Maker::Nibble);
    ours.and_then(|engine| engine.id.rsplit_once('-')).map_or(String::new(), |(build, _)| build.to_owned())
}

/// The default model in another recipe, made once.
fn requantised(paths: &Paths, python: &Path, default: &Model, recipe: &str, folder: &Path) -> Result<Model> {
    std::fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let file = format!("SmolLM2-135M-Instruct.{recipe}.gguf");
    let path = folder.join(&file);
    if !path.is_file() {
        let part: PathBuf = folder.join(format!("{file}.part"));
        let mut quantize = command::program(python, &paths.root);
        quantize.arg("crate/bench/native/quantize.py").arg(paths.models.join(&default.file));
        command::run(quantize.arg(&part).arg(recipe))?;
        std::fs::rename(&part, &path)?;
    }
    let bytes = std::fs::metadata(&path)?.len();
    Ok(Model { file, bytes, sha256: digest::file(&path)?, quantization: recipe.into(), ..default.clone() })
}

/// What both make of the text.
fn quality(
    paths: &Paths,
    python: &Path,
    subject: &Subject,
    model: &Model,
    nibble: &Nibble,
) -> Result<Quality> {
    let text = paths.root.join(TEXT);
    let (ids, ours) = nibble.of_text(&text, CHUNK)?;
    let mut script = command::program(python, &paths.root);
    script.arg("crate/bench/native/quality.py").arg(&nibble.model).arg(&text).arg(CHUNK.to_string());
    let read: Read = serde_json::from_str(&command::output(&mut script)?)
        .context("llama.cpp gave no figures of a text")?;
    note(format!("perplexity {ours:.4}, llama.cpp {:.4}", read.perplexity));
    Ok(Quality {
        file: subject.name.into(),
        sha256: model.sha256.clone(),
        tokens: read.ids.len(),
        same: read.ids == ids,
        ours,
        theirs: read.perplexity,
    })
}

/// What all engines' greedy answers begin with; an error where those of our builds part.
fn common(engines: &[Engine], all: &rounds::All) -> Result<String> {
    let mut texts = Vec::new();
    for engine in engines {
        let samples = all.get(&engine.id).and_then(|figures| figures.answers.get(&MAIN));
        let samples = samples.with_context(|| format!("{} was not measured", engine.id))?;
        check(&engine.id, samples, MAIN, Answer::Exactly(64))?;
        texts.extend(samples.first().map(|sample| sample.text.as_str()));
    }
    // Where two tokens are nearly as likely, peers part from each other too. Our builds never do.
    let ours: Vec<&str> = engines
        .iter()
        .zip(&texts)
        .filter(|(engine, _)| engine.maker == Maker::Nibble)
        .map(|(_, text)| *text)
        .collect();
    ensure!(ours.iter().all(|text| *text == ours[0]), "our builds part:\n{}", ours.join("\n---\n"));
    Ok(agreement(&texts, 0)?.to_owned())
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
        for file in &self.files {
            let subject = SUBJECTS.iter().find(|subject| subject.name == file.recipe);
            let Some((prefill, decode)) = subject.and_then(|subject| subject.speed) else { continue };
            for threads in &counts {
                let ours = format!("{}-{threads}", self.build);
                let ratios = [
                    ("prefill over llama.cpp, native", "llama", Figures::prefill as fn(&_, _) -> _, prefill),
                    ("decode over llama.cpp, native", "llama", Figures::decode, decode),
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

    /// What the text came to, beside what it shall.
    fn qualities(&self) -> String {
        let mut table = String::from(
            "| file | perplexity | llama.cpp's | difference | | tokens |\n|---|---|---|---|---|---|\n",
        );
        for Quality { file, tokens, same, ours, theirs, .. } in &self.quality {
            let difference = ours / theirs - 1.0;
            let verdict = if difference.abs() <= PERPLEXITY { "met" } else { "**missed**" };
            let equal = if *same { "the same" } else { "**not the same**" };
            let difference = 100.0 * difference;
            let _ = writeln!(
                table,
                "| {file} | {ours:.3} | {theirs:.3} | {difference:+.2} % | {verdict} | {tokens}, {equal} |"
            );
        }
        table
    }

    fn markdown(&self) -> String {
        let About { date, commit, processor, cores, rust, .. } = &self.about;
        let common: Vec<String> =
            self.files.iter().map(|file| format!("{} in {}", file.common.len(), file.recipe)).collect();
        let hashes: Vec<String> =
            self.quality.iter().map(|Quality { file, sha256, .. }| format!("{file} `{sha256}`")).collect();
        [
            ("table", self.table()),
            ("thresholds", self.thresholds()),
            ("quality", self.qualities()),
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
        let quality = |file: &str, ours: f64, same: bool| json!({ "file": file, "sha256": "cd", "tokens": 983, "same": same, "ours": ours, "theirs": 23.1 });
        let report: TypesReport = serde_json::from_value(json!({
            "about": about, "browser": "b", "wllama": "w", "llama": "l", "command": "c", "rounds": 3, "threads": 1,
            "build": "simd128", "engines": engines::all(1, true), "files": [file],
            "quality": [quality("Q4_1", 23.0, true), quality("Q5_K_M", 23.5, false)],
        }))
        .unwrap();
        let page = report.markdown();
        assert!(!page.contains('{') && !page.contains('}'), "{page}");
        for expected in [
            "| Q4_0 | 1 | prefill over llama.cpp, native | ≥ 0.55× | 0.75× | met |",
            "| Q4_0 | 1 | decode over llama.cpp, native | ≥ 1.00× | 0.75× | **missed by 25.0 %** |",
            "| Q4_0 | 1 | decode over wllama | ≥ 8.00× | 10.00× | met |",
            "3 in Q4_0",
            "| Q4_1 | 23.000 | 23.100 | -0.43 % | met | 983, the same |",
            "| Q5_K_M | 23.500 | 23.100 | +1.73 % | **missed** | 983, **not the same** |",
        ] {
            assert!(page.contains(expected), "{expected} is not in:\n{page}");
        }
    }
}
