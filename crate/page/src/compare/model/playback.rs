//! The race at a moment: what each side has done so far.

use crate::compare::model::timeline::{self, Bar, NETWORK, PREFILL, QUEUE, TOKENS, Timeline, bars};
use crate::run::model::recording::Recording;

/// One side at a moment of the race.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// All stages, as far as they have come.
    pub bars: Vec<Bar>,
    /// How many of them have begun; the others have no length yet.
    pub begun: usize,
    /// Tokens so far.
    pub tokens: usize,
    /// When the first of them came, ms.
    pub ttft: Option<f64>,
    /// When the last token of all came, ms; `None` while more are to come.
    pub ended: Option<f64>,
}

impl Frame {
    /// A whole timeline, `now` ms after the request.
    pub fn of(timeline: &Timeline, now: f64) -> Self {
        let cut = |bar: &Bar| Bar { length: bar.length.min((now - bar.start).max(0.0)), ..bar.clone() };
        let tokens = timeline.arrivals.partition_point(|at| *at <= now);
        Self {
            bars: timeline.bars.iter().map(cut).collect(),
            begun: timeline.bars.iter().filter(|bar| bar.start <= now).count(),
            tokens,
            ttft: timeline.arrivals.first().copied().filter(|at| *at <= now),
            ended: (timeline.end <= now).then_some(timeline.end),
        }
    }

    /// The measured side, `now` ms after the request; its own times once it has them.
    pub fn here(recording: &Recording, now: f64) -> Self {
        if let Some(timeline) = timeline::here(recording) {
            return Self::of(&timeline, timeline.end.max(now));
        }
        let ttft = recording.arrivals.first().copied();
        let read = ttft.unwrap_or(now);
        let handed = recording.handed_ms.unwrap_or(read).min(read);
        let stages =
            [(NETWORK, 0.0), (QUEUE, handed), (PREFILL, read - handed), (TOKENS, (now - read).max(0.0))];
        Self {
            bars: bars(stages),
            begun: 2 + usize::from(recording.handed_ms.is_some()) + usize::from(ttft.is_some()),
            tokens: recording.arrivals.len(),
            ttft,
            ended: None,
        }
    }
}

/// Time that the full width stands for while the race goes on, ms: the next of 1, 2, 5, 10 … s, so that bars seldom jump.
pub fn full_width(now: f64) -> f64 {
    let steps = (0..6).flat_map(|power| [1e3, 2e3, 5e3].map(|step| step * 10f64.powi(power)));
    steps.into_iter().find(|step| *step >= now).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{FinishReason, Finished};

    fn timeline() -> Timeline {
        let arrivals = vec![160.0, 170.0, 200.0];
        Timeline {
            bars: bars([("a", 100.0), ("b", 50.0), (TOKENS, 50.0)]),
            ttft: 160.0,
            itl: None,
            end: 200.0,
            arrivals,
        }
    }

    #[test]
    fn a_timeline_is_cut_where_the_clock_stands() {
        let frame = Frame::of(&timeline(), 120.0);
        let lengths: Vec<_> = frame.bars.iter().map(|bar| bar.length).collect();
        assert_eq!((lengths, frame.begun, frame.tokens, frame.ttft), (vec![100.0, 20.0, 0.0], 2, 0, None));
        let frame = Frame::of(&timeline(), 175.0);
        assert_eq!((frame.tokens, frame.ttft, frame.ended), (2, Some(160.0), None));
        let frame = Frame::of(&timeline(), 1e9);
        assert_eq!((frame.bars, frame.tokens, frame.ended), (timeline().bars, 3, Some(200.0)));
    }

    #[test]
    fn the_measured_side_grows_stage_by_stage() {
        let mut recording = Recording::new(0.0, 10);
        let lengths = |recording: &Recording, now| -> Vec<f64> {
            let frame = Frame::here(recording, now);
            frame.bars[..frame.begun].iter().map(|bar| bar.length).collect()
        };
        assert_eq!(lengths(&recording, 5.0), [0.0, 5.0]);
        recording.handed_ms = Some(8.0);
        assert_eq!(lengths(&recording, 50.0), [0.0, 8.0, 42.0]);
        recording.arrivals = vec![60.0, 75.0];
        assert_eq!(lengths(&recording, 80.0), [0.0, 8.0, 52.0, 20.0]);
        let frame = Frame::here(&recording, 80.0);
        assert_eq!((frame.tokens, frame.ttft, frame.ended), (2, Some(60.0), None));
        recording.finished = Some(Finished {
            id: 1,
            reason: FinishReason::EndOfTurn,
            text: String::new(),
            prompt_tokens: 9,
            reused_tokens: 0,
            tokens: 2,
            ttft_ms: Some(60.0),
            prefill_ms: 51.0,
            decode_ms: 15.0,
            total_ms: 76.0,
            memory_bytes: 1,
        });
        assert_eq!(
            lengths(&recording, 70.0),
            [0.0, 9.0, 51.0, 16.0],
            "its own times, whatever the clock says"
        );
        assert_eq!(Frame::here(&recording, 70.0).ended, Some(76.0));
    }

    #[test]
    fn the_scale_moves_in_steps() {
        assert_eq!([0.0, 999.0, 1_001.0, 4_000.0, 21_000.0].map(full_width), [1e3, 1e3, 2e3, 5e3, 5e4]);
    }
}
