//! Ranges of the values of an export.

use super::error::{ExportError, Problem};
use super::run::{Context, Run};
use crate::units::Ms;

/// Most requests of an export.
const MOST_RUNS: usize = 100_000;
/// Most tokens of all its answers.
const MOST_TOKENS: usize = 5_000_000;
/// Longest text, characters.
const LONGEST: usize = 500;
/// Latest arrival, ms: a day.
const LATEST_MS: f64 = 86_400_000.0;
/// Problems that are named; the rest of a broken file would be more of the same.
const NAMED: usize = 20;

/// # Errors
/// Everything that is out of its range, up to a limit.
pub(super) fn check(context: &Context, runs: &[Run]) -> Result<(), ExportError> {
    let mut problems = Vec::new();
    let mut bad = |key: String, value: String, allowed: &str| {
        if problems.len() < NAMED {
            problems.push(Problem { key, value, allowed: allowed.to_owned() });
        }
    };
    let Context { device, browser, backend, build, model, .. } = context;
    for (key, text) in
        [("device", device), ("browser", browser), ("backend", backend), ("build", build), ("model", model)]
    {
        if !short(text) {
            bad(format!("context.{key}"), told(text), "a line of at most 500 characters");
        }
    }
    if runs.len() > MOST_RUNS {
        bad("runs".into(), format!("a list of {}", runs.len()), "at most 100000 long");
    }
    let tokens: usize = runs.iter().map(|run| run.arrivals_ms.len()).sum();
    if tokens > MOST_TOKENS {
        bad("runs".into(), format!("a list with {tokens} tokens"), "of at most 5000000 tokens");
    }
    for (index, run) in runs.iter().enumerate() {
        if !short(&run.prompt) {
            bad(format!("runs[{index}].prompt"), told(&run.prompt), "a line of at most 500 characters");
        }
        if let Some((token, Ms(ms))) = first_bad(&run.arrivals_ms) {
            let key = format!("runs[{index}].arrivals_ms[{token}]");
            bad(key, ms.to_string(), "a time from 0 ms to a day, not before the token in front of it");
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(ExportError::Values(problems)) }
}

/// Of one line, so that a line of CSV is a line of the file.
fn short(text: &str) -> bool {
    text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

fn told(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}

fn first_bad(arrivals: &[Ms]) -> Option<(usize, Ms)> {
    let mut last = 0.0;
    let bad = |ms: &Ms| {
        let ok = ms.0 >= last && ms.0 <= LATEST_MS;
        last = ms.0;
        !ok
    };
    arrivals.iter().position(bad).map(|token| (token, arrivals[token]))
}
