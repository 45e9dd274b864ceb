//! Statistics of times: latency metrics by one definition for both sides, and percentiles that are
//! given only when enough samples stand behind them.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::units::Ms;

/// Times above an hour count as an hour, µs.
const LONGEST_US: u64 = 3_600_000_000;

/// Where samples come from. Only the two types below have it.
pub trait Origin: Clone + PartialEq {}

/// Series of different presets or seeds do not add up to one.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("samples of another preset or seed cannot be added")]
pub struct OtherOrigin;

/// Measured on this device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured;

/// Simulated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    /// Preset.
    pub preset: String,
    /// Seed.
    pub seed: u64,
}

impl Origin for Measured {}
impl Origin for Simulated {}

/// Latency metrics of one answer, the same for both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// From the request to the first token.
    pub ttft: Ms,
    /// Gaps between neighbouring tokens; the time to the first token is not among them.
    pub gaps: Vec<Ms>,
    /// From the request to the last token.
    pub end_to_end: Ms,
}

impl Timing {
    /// From when it was asked and when each token came; `None` without tokens.
    pub fn new(asked: Ms, arrivals: &[Ms]) -> Option<Self> {
        let first = *arrivals.first()?;
        let last = *arrivals.last()?;
        let gaps = arrivals.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Some(Self { ttft: first - asked, gaps, end_to_end: last - asked })
    }

    /// Time per output token after the first: (end-to-end − TTFT) ÷ (tokens − 1).
    pub fn tpot(&self) -> Option<Ms> {
        (!self.gaps.is_empty()).then(|| Ms((self.end_to_end - self.ttft).0 / self.gaps.len() as f64))
    }

    /// Without the gaps.
    pub fn metrics(&self) -> Metrics {
        Metrics { ttft: self.ttft, tpot: self.tpot(), end_to_end: self.end_to_end }
    }

    /// Tokens a second after the first.
    pub fn tokens_per_second(&self) -> Option<f64> {
        self.tpot().filter(|tpot| tpot.0 > 0.0).map(|tpot| 1000.0 / tpot.0)
    }
}

/// The three times of an answer that objectives are set for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// From the request to the first token.
    pub ttft: Ms,
    /// Time per output token after the first; `None` for an answer of one token.
    pub tpot: Option<Ms>,
    /// From the request to the last token.
    pub end_to_end: Ms,
}

impl Metrics {
    /// From when each token came, counted from the request; `None` without tokens.
    pub fn new(arrivals: &[Ms]) -> Option<Self> {
        let ttft = *arrivals.first()?;
        let end_to_end = *arrivals.last()?;
        let gaps = arrivals.len() - 1;
        let tpot = (gaps > 0).then(|| Ms((end_to_end - ttft).0 / gaps as f64));
        Some(Self { ttft, tpot, end_to_end })
    }
}

/// Samples of one quantity from one origin.
#[derive(Clone, Debug)]
pub struct Series<O: Origin> {
    /// Where they come from.
    pub origin: O,
    /// Microseconds.
    histogram: Histogram<u64>,
}

impl<O: Origin> Series<O> {
    /// No samples yet.
    pub fn new(origin: O) -> Self {
        // Fixed sound bounds cannot be refused.
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, 3)
            .unwrap_or_else(|error| panic!("the bounds are sound: {error}"));
        Self { origin, histogram }
    }

    /// Adds a sample. Negative times count as 0.
    pub fn record(&mut self, time: Ms) {
        self.histogram.saturating_record((time.0.max(0.0) * 1e3).round() as u64);
    }

    /// Adds a sample of a closed loop that should have sent every `interval`: a stall also stands for the requests
    /// that it kept from being sent (coordinated omission).
    pub fn record_corrected(&mut self, time: Ms, interval: Ms) {
        let us = |time: Ms| (time.0.max(0.0) * 1e3).round() as u64;
        // Only refused above the bounds, and no time is.
        let _ = self.histogram.record_correct(us(time).min(LONGEST_US), us(interval));
    }

    /// Adds another series of the same origin. One of the other type cannot be added:
    ///
    /// ```compile_fail
    /// use latency::stats::{Measured, Series, Simulated};
    /// let simulated = Series::new(Simulated { preset: "nearby-region".into(), seed: 1 });
    /// Series::new(Measured).merge(&simulated);
    /// ```
    ///
    /// # Errors
    /// Both are simulated, but with another preset or seed; nothing is added.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherOrigin> {
        if self.origin != other.origin {
            return Err(OtherOrigin);
        }
        // Only refused where bounds differ, and all series have the same.
        self.histogram.add(&other.histogram).map_err(|_| OtherOrigin)
    }

    /// Share of samples up to `limit`, `None` without samples.
    pub fn share_within(&self, limit: Ms) -> Option<f64> {
        let within = self.histogram.count_between(0, (limit.0.max(0.0) * 1e3).round() as u64);
        (self.count() > 0).then(|| within as f64 / self.count() as f64)
    }

    /// Number of samples.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// Mean, `None` without samples.
    pub fn mean(&self) -> Option<Ms> {
        (self.count() > 0).then(|| Ms(self.histogram.mean() / 1e3))
    }

    /// Standard deviation, `None` below two samples.
    pub fn deviation(&self) -> Option<Ms> {
        (self.count() > 1).then(|| Ms(self.histogram.stdev() / 1e3))
    }

    /// The `rank`-th sample from below, 1 ≤ rank ≤ count.
    pub(crate) fn at_rank(&self, rank: u64) -> Ms {
        // Half a rank lower, so that rounding cannot reach the next one.
        let share = (rank as f64 - 0.5) / self.count() as f64;
        Ms(self.histogram.value_at_quantile(share) as f64 / 1e3)
    }

    /// Samples as a list of (time, count), for charts; as coarse as the histogram, 0.1 %.
    pub fn bins(&self) -> impl Iterator<Item = (Ms, u64)> + '_ {
        let recorded = self.histogram.iter_recorded();
        recorded.map(|bin| (Ms(bin.value_iterated_to() as f64 / 1e3), bin.count_at_value()))
    }

    /// The time that a share `p` of samples does not exceed, `None` until [`samples_needed`] are there.
    pub fn percentile(&self, p: f64) -> Option<Ms> {
        (self.count() >= samples_needed(p)).then(|| Ms(self.histogram.value_at_quantile(p) as f64 / 1e3))
    }
}

/// A series in a line of a table; percentiles that too few samples stand behind are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Number of samples.
    pub samples: u64,
    /// Mean.
    pub mean_ms: Option<Ms>,
    /// Standard deviation.
    pub deviation_ms: Option<Ms>,
    /// Median.
    pub p50_ms: Option<Ms>,
    /// 90th percentile.
    pub p90_ms: Option<Ms>,
    /// 95th percentile.
    pub p95_ms: Option<Ms>,
    /// 99th percentile.
    pub p99_ms: Option<Ms>,
}

impl<O: Origin> Series<O> {
    /// Its line of a table.
    pub fn row(&self) -> Row {
        Row {
            samples: self.count(),
            mean_ms: self.mean(),
            deviation_ms: self.deviation(),
            p50_ms: self.percentile(0.5),
            p90_ms: self.percentile(0.9),
            p95_ms: self.percentile(0.95),
            p99_ms: self.percentile(0.99),
        }
    }
}

/// The four metrics of many answers, all from one origin.
#[derive(Clone, Debug)]
pub struct Summary<O: Origin> {
    /// Time to first token, one sample an answer.
    pub ttft: Series<O>,
    /// Time between tokens, one sample a gap.
    pub inter_token: Series<O>,
    /// Time per output token after the first, one sample an answer of two tokens or more.
    pub tpot: Series<O>,
    /// From the request to the last token, one sample an answer.
    pub end_to_end: Series<O>,
}

impl<O: Origin> Summary<O> {
    /// No answers yet.
    pub fn new(origin: O) -> Self {
        let series = || Series::new(origin.clone());
        Self { ttft: series(), inter_token: series(), tpot: series(), end_to_end: series() }
    }

    /// Adds an answer by when its tokens came, counted from the request, without allocating.
    pub fn record_arrivals(&mut self, arrivals: &[Ms]) {
        let Some(metrics) = Metrics::new(arrivals) else { return };
        self.ttft.record(metrics.ttft);
        arrivals.windows(2).for_each(|pair| self.inter_token.record(pair[1] - pair[0]));
        metrics.tpot.into_iter().for_each(|tpot| self.tpot.record(tpot));
        self.end_to_end.record(metrics.end_to_end);
    }

    /// Adds an answer.
    pub fn record(&mut self, timing: &Timing) {
        self.ttft.record(timing.ttft);
        timing.gaps.iter().for_each(|gap| self.inter_token.record(*gap));
        timing.tpot().into_iter().for_each(|tpot| self.tpot.record(tpot));
        self.end_to_end.record(timing.end_to_end);
    }
}

/// Samples before the largest one exceeds the true percentile `p`, 0 < p < 1, with 95 % confidence: the least
/// n with pⁿ ≤ 0.05. For P90 29, P95 59, P99 299, P99.9 2,995. Outside that range no number is enough.
pub fn samples_needed(p: f64) -> u64 {
    if !(p > 0.0 && p < 1.0) {
        return u64::MAX;
    }
    (libm::log(0.05) / libm::log(p)).ceil() as u64
}

/// The value whose logarithm is the mean of theirs; `None` without values, or when one is not above 0.
pub fn geometric_mean(values: &[f64]) -> Option<f64> {
    let sound = !values.is_empty() && values.iter().all(|value| *value > 0.0 && value.is_finite());
    let mean = || values.iter().map(|value| libm::log(*value)).sum::<f64>() / values.len() as f64;
    sound.then(|| libm::exp(mean()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_needed_are_the_published_ones() {
        assert_eq!([0.9, 0.95, 0.99, 0.999].map(samples_needed), [29, 59, 299, 2995]);
        assert_eq!([0.0, 1.0, -1.0, f64::NAN].map(samples_needed), [u64::MAX; 4]);
    }

    #[test]
    fn a_percentile_waits_for_its_samples() {
        let mut series = Series::new(Measured);
        for ms in 1..=28 {
            series.record(Ms(f64::from(ms)));
        }
        assert_eq!(series.percentile(0.9), None);
        series.record(Ms(29.0));
        let p90 = series.percentile(0.9).unwrap().0;
        assert!((p90 - 27.0).abs() < 0.03, "{p90}");
    }

    #[test]
    fn one_definition_of_every_metric() {
        let timing = Timing::new(Ms(100.0), &[Ms(150.0), Ms(160.0), Ms(180.0)]).unwrap();
        assert_eq!((timing.ttft, timing.end_to_end), (Ms(50.0), Ms(80.0)));
        assert_eq!(timing.gaps, [Ms(10.0), Ms(20.0)]);
        assert_eq!(timing.tpot(), Some(Ms(15.0)));
        assert_eq!(Timing::new(Ms(0.0), &[]), None);
        assert_eq!(Timing::new(Ms(0.0), &[Ms(5.0)]).unwrap().tpot(), None);
    }

    #[test]
    fn a_summary_counts_answers_and_gaps() {
        let mut summary = Summary::new(Measured);
        summary.record(&Timing::new(Ms(0.0), &[Ms(50.0), Ms(60.0), Ms(80.0)]).unwrap());
        summary.record(&Timing::new(Ms(0.0), &[Ms(70.0)]).unwrap());
        let counts = [&summary.ttft, &summary.inter_token, &summary.tpot, &summary.end_to_end];
        assert_eq!(counts.map(Series::count), [2, 2, 1, 2]);
        let mean = |series: &Series<Measured>| series.mean().unwrap().0;
        assert!((mean(&summary.ttft) - 60.0).abs() < 0.06 && (mean(&summary.tpot) - 15.0).abs() < 0.015);
        assert_eq!(summary.ttft.percentile(0.5), None, "two samples are too few for a median");
    }

    #[test]
    fn coordinated_omission_record_correct_1000_10_gives_100_samples() {
        let mut series = Series::new(Measured);
        series.record_corrected(Ms(1000.0), Ms(10.0));
        assert_eq!(series.count(), 100);
        // 10, 20 … 1000 ms.
        assert!((series.mean().unwrap().0 - 505.0).abs() < 0.5);
    }

    #[test]
    fn series_add_up_only_within_one_origin() {
        let simulated = |seed| Series::new(Simulated { preset: "nearby-region".into(), seed });
        let mut one = simulated(1);
        let mut two = simulated(1);
        one.record(Ms(5.0));
        two.record(Ms(7.0));
        assert_eq!((one.merge(&two), one.count()), (Ok(()), 2));
        assert_eq!((one.merge(&simulated(2)), one.count()), (Err(OtherOrigin), 2));
    }

    #[test]
    fn shares_and_bins_count_every_sample() {
        let mut series = Series::new(Measured);
        assert_eq!(series.share_within(Ms(10.0)), None);
        (1..=100).for_each(|ms| series.record(Ms(f64::from(ms))));
        assert_eq!(series.share_within(Ms(50.0)), Some(0.5));
        assert_eq!(series.bins().map(|(_, count)| count).sum::<u64>(), 100);
        assert!((series.deviation().unwrap().0 - 28.866).abs() < 0.02);
    }

    #[test]
    fn the_geometric_mean_takes_no_side() {
        assert!((geometric_mean(&[1.0, 4.0, 16.0]).unwrap() - 4.0).abs() < 1e-12);
        assert_eq!([&[][..], &[1.0, 0.0], &[f64::NAN]].map(geometric_mean), [None; 3]);
    }
}
