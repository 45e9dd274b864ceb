//! The race at a moment: what each side has done so far.

use crate::compare::model::timeline::{self, Bar, Lane, NETWORK, PREFILL, QUEUE, TOKENS, bars};
use crate::run::model::recording::Recording;

/// One side at a moment of the race.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
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

impl Scene {
    /// A whole lane, `now` ms after the request.
    pub fn of(lane: &Lane, now: f64) -> Self {
        let cut = |bar: &Bar| Bar { length: bar.length.min((now - bar.start).max(0.0)), ..bar.clone() };
        let tokens = lane.arrivals.partition_point(|at| *at <= now);
        Self {
            bars: lane.bars.iter().map(cut).collect(),
            begun: lane.bars.iter().filter(|bar| bar.start <= now).count(),
            tokens,
            ttft: lane.arrivals.first().copied().filter(|at| *at <= now),
            ended: (lane.end <= now).then_some(lane.end),
        }
    }

    /// The measured side, `now` ms after the request; its own times once it has them.
    pub fn here(recording: &Recording, now: f64) -> Self {
        if let Some(lane) = timeline::here(recording) {
            return Self::of(&lane, lane.end.max(now));
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

/// What the full width stands for while the race goes on, ms: the next of 1, 2, 5, 10 … s, so that bars seldom jump.
pub fn full_width(now: f64) -> f64 {
    let steps = (0..6).flat_map(|power| [1e3, 2e3, 5e3].map(|step| step * 10f64.powi(power)));
    steps.into_iter().find(|step| *step >= now).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{FinishReason, Finished};

    fn lane() -> Lane {
        let arrivals = vec![160.0, 170.0, 200.0];
        Lane {
            bars: bars([("a", 100.0), ("b", 50.0), (TOKENS, 50.0)]),
            ttft: 160.0,
            itl: None,
            end: 200.0,
            arrivals,
        }
    }

    #[test]
    fn a_lane_is_cut_where_the_clock_stands() {
        let scene = Scene::of(&lane(), 120.0);
        let lengths: Vec<_> = scene.bars.iter().map(|bar| bar.length).collect();
        assert_eq!((lengths, scene.begun, scene.tokens, scene.ttft), (vec![100.0, 20.0, 0.0], 2, 0, None));
        let scene = Scene::of(&lane(), 175.0);
        assert_eq!((scene.tokens, scene.ttft, scene.ended), (2, Some(160.0), None));
        let scene = Scene::of(&lane(), 1e9);
        assert_eq!((scene.bars, scene.tokens, scene.ended), (lane().bars, 3, Some(200.0)));
    }

    #[test]
    fn the_measured_side_grows_stage_by_stage() {
        let mut recording = Recording::new(0.0, 10);
        let lengths = |recording: &Recording, now| -> Vec<f64> {
            let scene = Scene::here(recording, now);
            scene.bars[..scene.begun].iter().map(|bar| bar.length).collect()
        };
        assert_eq!(lengths(&recording, 5.0), [0.0, 5.0]);
        recording.handed_ms = Some(8.0);
        assert_eq!(lengths(&recording, 50.0), [0.0, 8.0, 42.0]);
        recording.arrivals = vec![60.0, 75.0];
        assert_eq!(lengths(&recording, 80.0), [0.0, 8.0, 52.0, 20.0]);
        let scene = Scene::here(&recording, 80.0);
        assert_eq!((scene.tokens, scene.ttft, scene.ended), (2, Some(60.0), None));
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
        assert_eq!(Scene::here(&recording, 70.0).ended, Some(76.0));
    }

    #[test]
    fn the_scale_moves_in_steps() {
        assert_eq!([0.0, 999.0, 1_001.0, 4_000.0, 21_000.0].map(full_width), [1e3, 1e3, 2e3, 5e3, 5e4]);
    }
}
