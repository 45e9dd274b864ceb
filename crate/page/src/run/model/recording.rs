//! One answer's measured samples, and the figures made of them.
//!
//! All times are in ms. Time zero is the visitor's request; every later time is the worker's own, taken when
//! a token was chosen, so that a busy page cannot make an answer look slower or burstier than it was.

use latency::Ms;
use latency::stats::{Measured, Series, Timing};
use protocol::{Finished, Prefill, Token};

/// Samples that the 90th percentile needs before it says anything.
pub fn p90_needs() -> u64 {
    latency::stats::samples_needed(0.9)
}

/// Samples of an answer, recorded while it comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// When the visitor asked, ms since the Unix epoch.
    pub asked_ms: f64,
    /// Bytes of the visitor's prompt, in UTF-8.
    pub prompt_bytes: usize,
    /// Prompt tokens read and in all, and those that were in the cache already.
    pub prefill: Option<Prefill>,
    /// When the engine took the request up, ms after it.
    pub handed_ms: Option<f64>,
    /// When each token was chosen, ms after the request.
    pub arrivals: Vec<f64>,
    /// The worker's own account, once the answer has ended.
    pub finished: Option<Finished>,
    /// Whether the tab was hidden at any time: browsers slow hidden tabs down.
    pub hidden: bool,
    /// Whether another backend went on in the middle.
    pub moved: bool,
}

/// The figures under an answer; `None` where there is nothing to tell yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Time to first token, ms.
    pub ttft_ms: Option<f64>,
    /// Median time between tokens, ms.
    pub itl_median_ms: Option<f64>,
    /// 90th percentile of the time between tokens, ms; needs [`p90_needs`] gaps.
    pub itl_p90_ms: Option<f64>,
    /// Gaps between tokens that were measured.
    pub gaps: u64,
    /// Tokens per second after the first one.
    pub tokens_per_second: Option<f64>,
    /// From the request to the end, ms.
    pub total_ms: Option<f64>,
    /// Size of the engine's memory, bytes.
    pub memory_bytes: Option<u64>,
    /// Prompt tokens, reused ones included.
    pub prompt_tokens: Option<u32>,
    /// Prompt tokens that were in the cache already.
    pub reused_tokens: Option<u32>,
    /// Tokens of the answer.
    pub tokens: u32,
}

impl Recording {
    /// Begins at the visitor's request.
    pub fn new(asked_ms: f64, prompt_bytes: usize) -> Self {
        Self { asked_ms, prompt_bytes, ..Self::default() }
    }

    /// Records a token.
    pub fn token(&mut self, token: &Token) {
        self.arrivals.push(token.at_ms - self.asked_ms);
    }

    /// Metrics by the definition that both sides of the comparison share; `None` without tokens.
    pub fn timing(&self) -> Option<Timing> {
        let arrivals: Vec<Ms> = self.arrivals.iter().copied().map(Ms).collect();
        Timing::new(Ms(0.0), &arrivals)
    }

    /// Times between tokens, as samples of this device.
    pub fn gaps(&self) -> Series<Measured> {
        let mut series = Series::new(Measured);
        for gap in self.timing().into_iter().flat_map(|timing| timing.gaps) {
            series.record(gap);
        }
        series
    }

    /// The figures as far as they are known.
    pub fn figures(&self) -> Figures {
        let timing = self.timing();
        let gaps = self.gaps();
        let finished = self.finished.as_ref();
        let prefill = self.prefill.as_ref();
        Figures {
            ttft_ms: finished.and_then(|f| f.ttft_ms).or(timing.as_ref().map(|t| t.ttft.0)),
            itl_median_ms: gaps.percentile(0.5).map(|ms| ms.0),
            itl_p90_ms: gaps.percentile(0.9).map(|ms| ms.0),
            gaps: gaps.count(),
            tokens_per_second: timing.as_ref().and_then(Timing::tokens_per_second),
            total_ms: finished.map(|f| f.total_ms),
            memory_bytes: finished.map(|f| f.memory_bytes),
            prompt_tokens: finished.map(|f| f.prompt_tokens).or(prefill.map(|p| p.total)),
            reused_tokens: finished.map(|f| f.reused_tokens).or(prefill.map(|p| p.reused)),
            tokens: finished.map_or(self.arrivals.len() as u32, |f| f.tokens),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(arrivals: impl IntoIterator<Item = f64>) -> Recording {
        let mut recording = Recording::new(1_000.0, 12);
        for (index, at) in arrivals.into_iter().enumerate() {
            let text = String::new();
            recording.token(&Token { id: 1, index: index as u32, token: 7, text, at_ms: 1_000.0 + at });
        }
        recording
    }

    #[test]
    fn nothing_yet_is_nothing_shown() {
        assert_eq!(Recording::new(5.0, 0).figures(), Figures::default());
    }

    #[test]
    fn one_token_has_no_rate() {
        let figures = recording([400.0]).figures();
        assert_eq!(figures.ttft_ms, Some(400.0));
        assert_eq!((figures.itl_median_ms, figures.tokens_per_second), (None, None));
    }

    #[test]
    fn rate_counts_gaps_not_tokens() {
        let figures = recording([400.0, 420.0, 440.0, 460.0, 480.0, 525.0]).figures();
        assert_eq!(figures.tokens_per_second, Some(40.0));
        assert!(figures.itl_median_ms.is_some_and(|ms| (ms - 20.0).abs() < 0.02));
        assert_eq!(figures.itl_p90_ms, None, "five gaps are too few");
    }

    #[test]
    fn the_90th_percentile_needs_29_gaps() {
        let arrivals = |n: u32| (0..n).map(|i| f64::from(i * i));
        assert_eq!(recording(arrivals(29)).figures().itl_p90_ms, None);
        // Gaps of 1, 3, 5 … 57 ms: the 27th of 29 is the first that 90 % do not exceed.
        let p90 = recording(arrivals(30)).figures().itl_p90_ms.unwrap();
        assert!((p90 - 53.0).abs() < 0.06, "{p90}");
    }
}
