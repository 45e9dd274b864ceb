//! What each test runner counted, read from its own words.

use serde::Deserialize;

/// Tests of one runner.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Summary {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// The runner's own summary lines.
    pub(crate) lines: Vec<String>,
}

impl Summary {
    /// Adds a line of a `cargo test` run, native or in a browser, if it is a summary.
    pub(crate) fn read_libtest(&mut self, line: &str) {
        let Some(counts) = line.trim().strip_prefix("test result: ") else { return };
        let count = |word: &str| -> u64 {
            let before = counts.split(';').find_map(|part| part.trim().strip_suffix(word));
            let number = before.and_then(|before| before.trim().rsplit(' ').next()?.parse().ok());
            number.unwrap_or(0)
        };
        let passed = count(" passed");
        let failed = count(" failed");
        let skipped = count(" ignored");
        self.passed += passed;
        self.failed += failed;
        self.skipped += skipped;
        if passed + failed + skipped > 0 {
            self.lines.push(line.trim().to_string());
        }
    }

    /// Counts of Playwright's JSON report.
    pub(crate) fn read_playwright(report: &str) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Report {
            stats: Stats,
        }
        #[derive(Deserialize)]
        struct Stats {
            expected: u64,
            unexpected: u64,
            flaky: u64,
            skipped: u64,
        }
        let Stats { expected, unexpected, flaky, skipped } = serde_json::from_str::<Report>(report)?.stats;
        let line = format!("{expected} passed, {unexpected} failed, {flaky} flaky, {skipped} skipped");
        Ok(Self { passed: expected, failed: unexpected + flaky, skipped, lines: vec![line] })
    }

    /// The line that ends a run.
    pub(crate) fn line(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }

    /// Counts of several runners together, without their words.
    pub(crate) fn sum<'a>(summaries: impl IntoIterator<Item = &'a Self>) -> Self {
        summaries.into_iter().fold(Self::default(), |sum, summary| Self {
            passed: sum.passed + summary.passed,
            failed: sum.failed + summary.failed,
            skipped: sum.skipped + summary.skipped,
            lines: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn cargo_test_lines_are_added_up() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s",
            "test result: ok. 10 passed; 0 failed; 2 ignored; 0 filtered out; finished in 1.25s",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            summary.read_libtest(line);
        }
        assert_eq!(summary.line(), "12 passed, 1 failed, 2 skipped");
        assert_eq!(summary.lines.len(), 2);
    }

    #[test]
    fn playwright_counts_flaky_tests_as_failed() {
        let report =
            r#"{"config":{},"stats":{"expected":7,"unexpected":1,"flaky":1,"skipped":2,"duration":1.5}}"#;
        assert_eq!(Summary::read_playwright(report).unwrap().line(), "7 passed, 2 failed, 2 skipped");
    }
}
