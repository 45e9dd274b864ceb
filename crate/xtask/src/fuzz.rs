//! `cargo xtask fuzz`: libFuzzer over everything that reads a model file's own words, from the corpora in tests/fuzz/corpus.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::paths::Paths;
use crate::step::{note, step};
use crate::summary::Summary;

/// The programs of the package `fuzz`.
const TARGETS: [&str; 3] = ["header", "tokenizer", "template"];

/// Targets that run side by side.
const AT_ONCE: usize = 2;

/// Seconds that one input may take: far above what any takes on a machine that is put aside for a while.
const PATIENCE: u32 = 120;

/// Megabytes that one input may take.
const MEMORY: u32 = 2048;

/// What one target's run came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    target: &'static str,
    executions: u64,
    /// Branches that some input reached.
    coverage: u64,
    /// In the words of libFuzzer or of the panic.
    finding: Option<String>,
}

/// Builds the targets and runs each for so many seconds, or the one that is named; an error when an input makes one fail.
pub fn run(paths: &Paths, seconds: u32, only: Option<&str>) -> Result<()> {
    let summary = every(paths, seconds, only)?;
    summary.lines.iter().for_each(|line| println!("{line}"));
    if summary.failed > 0 {
        bail!("{} of the fuzz targets failed", summary.failed);
    }
    Ok(())
}

/// As [`run`], counting a target as a test.
///
/// Inputs that reach something new stay in the target directory, where the next run begins; so do inputs that fail.
pub(crate) fn every(paths: &Paths, seconds: u32, only: Option<&str>) -> Result<Summary> {
    let chosen: Vec<&'static str> =
        TARGETS.into_iter().filter(|target| only.is_none_or(|only| only == *target)).collect();
    if chosen.is_empty() {
        bail!("no fuzz target is called {:?}; there are: {}", only.unwrap_or_default(), TARGETS.join(", "));
    }
    let folder = paths.target.join("fuzz");
    step("fuzz targets", || {
        let mut cargo = command::cargo(&paths.root);
        // Together with the program, for the same features of the crates of others: only our own are compiled again.
        cargo.args(["build", "--locked", "--package", "nibble", "--package", "fuzz"]);
        cargo.args(TARGETS.iter().flat_map(|target| ["--bin", target]));
        command::run(cargo.env("RUSTC_WORKSPACE_WRAPPER", paths.root.join("tests/fuzz/rustc.sh")))
    })?;
    let waiting = Mutex::new(chosen.into_iter());
    let outcomes = Mutex::new(Vec::new());
    step("fuzzing", || {
        let work = || {
            while let Some(target) = next(&waiting) {
                let outcome = fuzz(paths, &folder, target, seconds)?;
                outcomes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(outcome);
            }
            anyhow::Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| bail!("a target's thread panicked")))
        })
    })?;
    let outcomes = outcomes.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    Ok(summary(&outcomes))
}

fn next<T>(waiting: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next()
}

fn fuzz(paths: &Paths, folder: &Path, target: &'static str, seconds: u32) -> Result<Outcome> {
    let grown = folder.join("corpus").join(target);
    let findings = folder.join("findings");
    for folder in [&grown, &findings] {
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    }
    let log = folder.join(format!("{target}.log"));
    let words = File::create(&log).with_context(|| format!("could not write {}", log.display()))?;
    let mut fuzzer = command::program(paths.target.join("debug").join(target), &paths.root);
    fuzzer.args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={PATIENCE}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-artifact_prefix={}/{target}-", findings.display()),
        "-print_final_stats=1".to_owned(),
    ]);
    fuzzer.arg(grown).arg(paths.root.join("tests/fuzz/corpus").join(target));
    let status = fuzzer.stderr(words).status().with_context(|| format!("could not start {target}"))?;
    let said = fs::read(&log).with_context(|| format!("could not read {}", log.display()))?;
    let outcome = read(target, &String::from_utf8_lossy(&said), status.success());
    note(line(&outcome));
    if outcome.finding.is_some() {
        note(format!("what it said is in {}, the input in {}", log.display(), findings.display()));
    }
    Ok(outcome)
}

/// What a run came to, out of libFuzzer's words.
fn read(target: &'static str, said: &str, succeeded: bool) -> Outcome {
    let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse().ok());
    let last = |before: &str| said.rsplit_once(before).and_then(|(_, after)| number(after)).unwrap_or(0);
    let told = |line: &&str| line.contains("panicked at") || line.contains("ERROR: libFuzzer");
    let finding = (!succeeded).then(|| {
        let begin = said.lines().position(|line| told(&line));
        // What a panic says stands in the line below.
        let words: Vec<&str> = said.lines().skip(begin.unwrap_or(0)).take(2).map(str::trim).collect();
        begin.map_or("ended without a word".to_owned(), |_| words.join(" "))
    });
    Outcome {
        target,
        executions: last("stat::number_of_executed_units: "),
        coverage: last(" cov: "),
        finding,
    }
}

fn line(outcome: &Outcome) -> String {
    let Outcome { target, executions, coverage, finding } = outcome;
    let finding = finding.as_ref().map_or("no finding".to_owned(), |finding| format!("a finding: {finding}"));
    format!("{target}: {executions} inputs, {coverage} branches reached, {finding}")
}

fn summary(outcomes: &[Outcome]) -> Summary {
    let failed = outcomes.iter().filter(|outcome| outcome.finding.is_some()).count() as u64;
    Summary {
        passed: outcomes.len() as u64 - failed,
        failed,
        skipped: 0,
        lines: outcomes.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{TARGETS, read, summary};

    #[test]
    fn every_program_of_the_package_is_run() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/src/bin");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        let mut targets = TARGETS.to_vec();
        targets.sort_unstable();
        assert_eq!(names, targets);
    }

    #[test]
    fn counts_and_findings_are_read() {
        let stats = "stat::number_of_executed_units: 4221\nstat::average_exec_per_sec:     844\n";
        let good =
            format!("#2 INITED cov: 900 ft: 1\n#4221\tDONE   cov: 1034 ft: 4040 corp: 94/11Kb\n{stats}");
        let bad = format!(
            "thread '<unnamed>' panicked at a.rs:7:5:\nindex out of bounds\n==7== ERROR: libFuzzer: deadly signal\n{stats}"
        );
        let outcomes =
            [read("header", &good, true), read("tokenizer", &bad, false), read("template", "", false)];
        let summary = summary(&outcomes);
        assert_eq!((summary.passed, summary.failed), (1, 2));
        let expected = [
            "header: 4221 inputs, 1034 branches reached, no finding",
            "tokenizer: 4221 inputs, 0 branches reached, a finding: thread '<unnamed>' panicked at a.rs:7:5: index out of bounds",
            "template: 0 inputs, 0 branches reached, a finding: ended without a word",
        ];
        assert_eq!(summary.lines, expected);
    }
}
