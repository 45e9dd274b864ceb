//! Steps that a person can follow: what begins, what it did, how long it took.

use std::time::Instant;

use anyhow::Result;

/// Says what is being done and, at the end, how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {what}");
    let begin = Instant::now();
    let result = work();
    let word = if result.is_ok() { "done" } else { "failed" };
    eprintln!("    {word} in {:.1} s: {what}", begin.elapsed().as_secs_f64());
    result
}

/// A line under the step that runs.
pub fn note(text: impl std::fmt::Display) {
    eprintln!("    {text}");
}
