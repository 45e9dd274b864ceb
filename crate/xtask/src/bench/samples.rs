//! What one answer measured, and several of them together.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// One answer. Rates in tokens a second.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Sample {
    /// Prompt tokens over the time to the first token.
    pub(crate) prefill: f64,
    /// Tokens after the first over the time since it.
    pub(crate) decode: f64,
    pub(crate) text: String,
    /// Tokens of the prompt with its template.
    pub(crate) prompt: u32,
    /// Tokens of the answer.
    pub(crate) tokens: u32,
}

/// Fast figures of a wrong answer are worth nothing: every round must have answered the same, at length.
pub(crate) fn check(engine: &str, samples: &[Sample], prompt: u32, answer: u32) -> Result<()> {
    for sample in samples {
        ensure!(sample.prompt == prompt, "{engine} read {} prompt tokens, not {prompt}", sample.prompt);
        ensure!(
            sample.tokens == answer,
            "{engine} answered {} tokens, not {answer}: {}",
            sample.tokens,
            sample.text
        );
        ensure!(sample.text == samples[0].text, "{engine} answered differently in two rounds, though greedy");
    }
    Ok(())
}

/// Median and range of a rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// `values`: at least one, in any order.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "no samples");
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let even = values.len().is_multiple_of(2);
        let median = if even { (values[middle - 1] + values[middle]) / 2.0 } else { values[middle] };
        Self { median, least: values[0], most: values[values.len() - 1] }
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]), Spread { median: 2.5, least: 1.0, most: 4.0 });
        assert_eq!(Spread::of(vec![7.0, 5.0, 9.0]), Spread { median: 7.0, least: 5.0, most: 9.0 });
    }
}
