//! How often a side meets an objective.

use latency::Ms;
use latency::objective::{Attainment, Slo};
use latency::stats::{Metrics, samples_needed};

/// An objective held against a side's answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// Answers that met every limit, of how many.
    pub attainment: Attainment,
    /// Share of them, 0 to 1.
    pub share: Option<f64>,
    /// Answers a second that met every limit, one asked after the other.
    pub goodput: Option<f64>,
    /// Whether it holds; `None` until enough answers are there.
    pub holds: Option<bool>,
    /// Answers that a verdict takes.
    pub needs: u64,
}

/// Of these answers, each asked when the one before had ended. `None` stands for a request that brought no answer.
pub fn kept<'a>(slo: &Slo, answers: impl Iterator<Item = Option<&'a Metrics>>) -> Kept {
    let mut attainment = Attainment::default();
    let mut busy = 0.0;
    for answer in answers {
        attainment.record(slo, answer);
        busy += answer.map_or(0.0, |answer| answer.end_to_end.0);
    }
    Kept {
        attainment,
        share: attainment.share(),
        goodput: attainment.goodput(Ms(busy)).map(|rate| rate.0),
        holds: attainment.holds(slo),
        needs: samples_needed(slo.share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodput_counts_only_answers_within_the_limits() {
        let slo = Slo::custom(Some(Ms(200.0)), None, 0.9);
        let answer = |ttft| Metrics { ttft: Ms(ttft), tpot: None, end_to_end: Ms(1000.0) };
        let answers: Vec<_> = (0..40).map(|n| answer(if n % 10 == 0 { 300.0 } else { 100.0 })).collect();
        let kept = kept(&slo, answers.iter().map(Some));
        assert_eq!((kept.attainment.met, kept.attainment.requests), (36, 40));
        assert_eq!(kept.goodput, Some(0.9), "36 of them in 40 s");
        assert_eq!((kept.holds, kept.needs), (Some(true), 29));
        let few = super::kept(&slo, answers.iter().take(10).map(Some));
        assert_eq!(few.holds, None, "ten are too few");
    }
}
