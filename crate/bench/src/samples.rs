//! What one answer or one load measured, and several of them together.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// One answer. Rates in tokens a second.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Sample {
    /// Prompt tokens over the time to the first token.
    pub(crate) prefill: f64,
    /// Tokens after the first over the time since it; none if there was but one.
    pub(crate) decode: Option<f64>,
    pub(crate) text: String,
    /// Tokens of the prompt with its template.
    pub(crate) prompt: u32,
    /// Tokens of the answer.
    pub(crate) tokens: u32,
    /// The most memory that the engine had until then, bytes, where it can be told.
    #[serde(default)]
    pub(crate) memory: Option<u64>,
}

/// One way from a file to a first token, ms.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Load {
    /// From starting the worker to its first message; 0 where the engine starts with the model.
    pub(crate) start_ms: f64,
    /// Fetched, kept in storage, loaded; none natively, where the file is there.
    pub(crate) cold_ms: Option<f64>,
    /// Loaded from storage.
    pub(crate) cached_ms: f64,
    /// Loaded from storage, up to the first token of a short prompt.
    pub(crate) first_ms: f64,
    /// Tokens of that prompt.
    pub(crate) prompt: u32,
}

/// Fast figures of a wrong answer are worth nothing: every round must have read all and answered the same.
/// `answer`: tokens wanted; an answer that ends by itself may have fewer, where its decode speed is not shown.
pub(crate) fn check(engine: &str, samples: &[Sample], prompt: u32, answer: Answer) -> Result<()> {
    for Sample { prompt: read, tokens, text, .. } in samples {
        ensure!(*read == prompt, "{engine} read {read} prompt tokens, not {prompt}");
        let enough = match answer {
            Answer::Exactly(count) => *tokens == count,
            Answer::AtMost(count) => (1..=count).contains(tokens),
        };
        ensure!(enough, "{engine} answered {tokens} tokens, wanted {answer:?}: {text}");
        ensure!(*text == samples[0].text, "{engine} answered differently in two rounds, though greedy");
    }
    Ok(())
}

/// How long an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// So that all engines decode the same.
    Exactly(u32),
    /// Only to be compared.
    AtMost(u32),
}

impl Answer {
    /// Tokens to ask for.
    pub(crate) fn most(self) -> u32 {
        let (Self::Exactly(count) | Self::AtMost(count)) = self;
        count
    }
}

/// What the greedy answers have in common at their beginning; an error if that is less than `least` characters.
pub(crate) fn agreement<'a>(texts: &[&'a str], least: usize) -> Result<&'a str> {
    let first = texts.first().copied().unwrap_or_default().trim_start();
    let common = texts.iter().skip(1).fold(first, |common, text| {
        let text = text.trim_start();
        let same = common.char_indices().zip(text.chars()).find(|((_, a), b)| a != b);
        &common[..same.map_or(common.len().min(text.len()), |((at, _), _)| at)]
    });
    ensure!(common.len() >= least, "the engines' greedy answers part at once:\n{}", texts.join("\n---\n"));
    Ok(common)
}

/// Median and range of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// In any order; none of none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let least = *values.first()?;
        let most = *values.last()?;
        // The middle two; the same one where their number is odd.
        let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median, least, most })
    }

    /// As text, with the range where there is one.
    pub(crate) fn told(&self, digits: usize) -> String {
        let Self { median, least, most } = self;
        if least == most {
            return format!("{median:.digits$}");
        }
        format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Sample, Spread, agreement, check};

    #[test]
    fn the_median_of_an_even_count_lies_between_the_middle_two() {
        let spread = |values: &[f64]| Spread::of(values.iter().copied());
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), Some(Spread { median: 2.5, least: 1.0, most: 4.0 }));
        assert_eq!(spread(&[7.0, 5.0, 9.0]), Some(Spread { median: 7.0, least: 5.0, most: 9.0 }));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[7.0, 5.0, 9.0]).unwrap().told(1), "7.0 (5.0 to 9.0)");
        assert_eq!(spread(&[7.0]).unwrap().told(1), "7.0");
    }

    #[test]
    fn answers_that_differ_are_no_benchmark() {
        let long = "The quick brown fox jumps over the lazy dog";
        let tired = long.replace("lazy", "tired");
        assert_eq!(agreement(&[long, &tired], 24).unwrap(), "The quick brown fox jumps over the ");
        assert!(agreement(&[long, "The quick red"], 24).unwrap_err().to_string().contains("part at once"));
        let one = |tokens| Sample {
            prefill: 1.0,
            decode: None,
            text: "a".into(),
            prompt: 128,
            tokens,
            memory: None,
        };
        let samples = [one(64)];
        assert!(check("a", &samples, 128, Answer::Exactly(64)).is_ok());
        assert!(check("a", &samples, 128, Answer::Exactly(63)).is_err());
        assert!(check("a", &samples, 128, Answer::AtMost(99)).is_ok());
        let refused = check("a", &samples, 127, Answer::Exactly(64)).unwrap_err().to_string();
        assert!(refused.contains("128 prompt tokens, not 127"), "{refused}");
    }
}
