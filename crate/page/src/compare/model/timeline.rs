//! One side of the comparison: a request’s stages and its tokens on a common clock.
//!
//! The measured and the simulated side are laid out alike and never mixed: each has its own timeline and its own column.

use latency::Ms;
use latency::stats::{Series, Simulated, Timing};

use crate::run::model::recording::Recording;

/// Stages of the measured side; the simulated one shares the names of those that it has.
pub(super) const NETWORK: &str = "DNS, connect, upload";
pub(super) const QUEUE: &str = "Queue";
pub(super) const PREFILL: &str = "Prefill";
pub(super) const TOKENS: &str = "Tokens";

/// One stage of a request: a bar in a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Name of the stage.
    pub label: &'static str,
    /// When it begins, ms after the request.
    pub start: f64,
    /// How long it takes, ms.
    pub length: f64,
}

/// One side of the comparison: figures in ms, and the stages they are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Stages in order.
    pub bars: Vec<Bar>,
    /// Time to the first token.
    pub ttft: f64,
    /// Median time between tokens; `None` with too few of them.
    pub itl: Option<f64>,
    /// Time to the end of the answer.
    pub end: f64,
    /// When each token came.
    pub arrivals: Vec<f64>,
}

impl Timeline {
    /// Of a simulated request. `stages`: up to the first token; the tokens are added to them.
    pub(super) fn simulated(origin: Simulated, mut stages: Vec<Bar>, arrivals: &[Ms]) -> Self {
        let [ttft, end] = [arrivals.first(), arrivals.last()].map(|at| at.map_or(0.0, |ms| ms.0));
        let start = stages.last().map_or(0.0, |bar| bar.start + bar.length);
        stages.push(Bar { label: TOKENS, start, length: (end - start).max(0.0) });
        let mut gaps = Series::new(origin);
        Timing::new(Ms(0.0), arrivals)
            .into_iter()
            .flat_map(|timing| timing.gaps)
            .for_each(|gap| gaps.record(gap));
        Self {
            bars: stages,
            ttft,
            itl: gaps.percentile(0.5).map(|ms| ms.0),
            end,
            arrivals: arrivals.iter().map(|ms| ms.0).collect(),
        }
    }
}

/// The measured timeline.
pub fn here(recording: &Recording) -> Option<Timeline> {
    let timing = recording.timing()?;
    let finished = recording.finished.as_ref()?;
    let ttft = finished.ttft_ms.unwrap_or(timing.ttft.0);
    let prefill = finished.prefill_ms.min(ttft);
    let written = (finished.total_ms - ttft).max(0.0);
    let stages = [(NETWORK, 0.0), (QUEUE, ttft - prefill), (PREFILL, prefill), (TOKENS, written)];
    Some(Timeline {
        bars: bars(stages),
        ttft,
        itl: recording.gaps().percentile(0.5).map(|ms| ms.0),
        end: finished.total_ms,
        arrivals: recording.arrivals.clone(),
    })
}

/// Lays stages end to end.
pub(super) fn bars(stages: impl IntoIterator<Item = (&'static str, f64)>) -> Vec<Bar> {
    let mut start = 0.0;
    stages
        .into_iter()
        .map(|(label, length)| {
            let bar = Bar { label, start, length };
            start += length;
            bar
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use protocol::{FinishReason, Finished, Token};

    /// Ten tokens, the first after 400 ms.
    pub(in crate::compare::model) fn measured() -> Recording {
        let mut recording = Recording::new(0.0, 300);
        for index in 0..10u32 {
            let at_ms = 400.0 + 20.0 * f64::from(index);
            recording.token(&Token { id: 1, index, token: 1, text: String::new(), at_ms });
        }
        recording.finished = Some(Finished {
            id: 1,
            reason: FinishReason::EndOfTurn,
            text: String::new(),
            prompt_tokens: 80,
            reused_tokens: 0,
            tokens: 10,
            ttft_ms: Some(400.0),
            prefill_ms: 390.0,
            decode_ms: 180.0,
            total_ms: 590.0,
            memory_bytes: 1,
        });
        recording
    }

    #[test]
    fn the_measured_timeline_adds_up() {
        let timeline = here(&measured()).unwrap();
        let total: f64 = timeline.bars.iter().map(|bar| bar.length).sum();
        assert_eq!((timeline.ttft, timeline.end, total), (400.0, 590.0, 590.0));
        assert_eq!(timeline.bars[2], Bar { label: PREFILL, start: 10.0, length: 390.0 });
        assert_eq!(timeline.bars[0].length, 0.0, "nothing is sent");
        assert_eq!(here(&Recording::default()), None);
    }
}
