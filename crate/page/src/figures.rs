//! One answer's measured samples, and the figures made of them.
//!
//! All times are in ms. Time zero is the visitor's request; every later time is the worker's own, taken when
//! a token was chosen, so that a busy page cannot make an answer look slower or burstier than it was.

use protocol::{Finished, Prefill, Token};

/// Samples that the 90th percentile needs before it says anything: with 29, the largest one exceeds the true
/// percentile with 95 % confidence.
pub const P90_NEEDS: usize = 29;

/// What is recorded while an answer comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// When the visitor asked, ms since the Unix epoch.
    pub asked_ms: f64,
    /// Bytes of the visitor's prompt, in UTF-8.
    pub prompt_bytes: usize,
    /// Prompt tokens read and in all, and those that were in the cache already.
    pub prefill: Option<Prefill>,
    /// When each token was chosen, ms after the request.
    pub arrivals: Vec<f64>,
    /// The worker's own account, once the answer has ended.
    pub finished: Option<Finished>,
    /// Whether the tab was hidden at any time: browsers slow hidden tabs down.
    pub hidden: bool,
}

/// The figures under an answer; `None` where there is nothing to tell yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Time to first token, ms.
    pub ttft_ms: Option<f64>,
    /// Median time between tokens, ms.
    pub itl_median_ms: Option<f64>,
    /// 90th percentile of the time between tokens, ms; needs [`P90_NEEDS`] gaps.
    pub itl_p90_ms: Option<f64>,
    /// Gaps between tokens that were measured.
    pub gaps: usize,
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
    pub tokens: usize,
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

    /// Times between tokens, ms, in order.
    pub fn gaps(&self) -> Vec<f64> {
        self.arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// The figures as far as they are known.
    pub fn figures(&self) -> Figures {
        let mut gaps = self.gaps();
        gaps.sort_by(f64::total_cmp);
        let finished = self.finished.as_ref();
        let decode_ms = match (self.arrivals.first(), self.arrivals.last()) {
            (Some(first), Some(last)) => last - first,
            _ => 0.0,
        };
        let prefill = self.prefill.as_ref();
        Figures {
            ttft_ms: finished.and_then(|f| f.ttft_ms).or(self.arrivals.first().copied()),
            itl_median_ms: percentile(&gaps, 0.5),
            itl_p90_ms: if gaps.len() >= P90_NEEDS { percentile(&gaps, 0.9) } else { None },
            gaps: gaps.len(),
            tokens_per_second: (decode_ms > 0.0).then(|| gaps.len() as f64 * 1e3 / decode_ms),
            total_ms: finished.map(|f| f.total_ms),
            memory_bytes: finished.map(|f| f.memory_bytes),
            prompt_tokens: finished.map(|f| f.prompt_tokens).or(prefill.map(|p| p.total)),
            reused_tokens: finished.map(|f| f.reused_tokens).or(prefill.map(|p| p.reused)),
            tokens: finished.map_or(self.arrivals.len(), |f| f.tokens as usize),
        }
    }
}

/// The smallest sample that at least `share` of the samples do not exceed. `sorted`: ascending.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
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
        let figures = recording([400.0, 420.0, 440.0, 460.0, 500.0]).figures();
        assert_eq!(figures.tokens_per_second, Some(40.0));
        assert_eq!(figures.itl_median_ms, Some(20.0));
        assert_eq!(figures.itl_p90_ms, None, "four gaps are too few");
    }

    #[test]
    fn the_90th_percentile_needs_29_gaps() {
        let arrivals = |n: u32| (0..n).map(|i| f64::from(i * i));
        assert_eq!(recording(arrivals(29)).figures().itl_p90_ms, None);
        // Gaps of 1, 3, 5 … 57 ms: the 27th of 29 is the first that 90 % do not exceed.
        assert_eq!(recording(arrivals(30)).figures().itl_p90_ms, Some(53.0));
    }
}
