//! How sure a percentile is: bootstrap intervals, and when a runner may stop.

use figures::normal;
use serde::{Deserialize, Serialize};

use super::stats::{Origin, Series, samples_needed};
use crate::random::Random;
use crate::units::Ms;

/// Times a series is drawn anew.
const RESAMPLES: usize = 2_000;
/// Share of resamples within an interval.
pub const CONFIDENCE: f64 = 0.95;

/// Where a percentile lies with [`CONFIDENCE`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: Ms,
    /// Upper end.
    pub high: Ms,
}

impl Interval {
    /// Its width as a share of the value it belongs to.
    pub fn width_of(&self, value: Ms) -> f64 {
        (self.high - self.low).0 / value.0
    }
}

impl<O: Origin> Series<O> {
    /// Bootstrap interval of percentile `p`, `None` until [`samples_needed`] samples are there. It takes samples to
    /// be independent: right for one sample an answer, too narrow for the gaps within one.
    ///
    /// No list is drawn: the k-th smallest of n draws with replacement is the ⌈n·U⌉-th smallest sample, U being
    /// the k-th smallest of n uniform numbers, which is distributed as Beta(k, n + 1 − k).
    pub fn interval(&self, p: f64, seed: u64) -> Option<Interval> {
        let count = self.count();
        if count < samples_needed(p) {
            return None;
        }
        let ranks = resampled_ranks(count, p, seed);
        let at = |share: f64| self.at_rank(ranks[(share * (RESAMPLES - 1) as f64).round() as usize]);
        let tail = 0.5 * (1.0 - CONFIDENCE);
        Some(Interval { low: at(tail), high: at(1.0 - tail) })
    }
}

/// Ranks among `count` samples that percentile `p` has in resamples, rising.
fn resampled_ranks(count: u64, p: f64, seed: u64) -> Vec<u64> {
    let n = count as f64;
    let k = (p * n).ceil().max(1.0);
    let mut random = Random::new(seed, 0);
    let mut ranks: Vec<u64> = (0..RESAMPLES)
        .map(|_| {
            let below = gamma(k, &mut random);
            let above = gamma(n + 1.0 - k, &mut random);
            ((n * below / (below + above)).ceil() as u64).clamp(1, count)
        })
        .collect();
    ranks.sort_unstable();
    ranks
}

/// A gamma number of this shape, at least 1: Marsaglia and Tsang's method (2000).
fn gamma(shape: f64, random: &mut Random) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let z = normal::approximate(random.uniform());
        let v = 1.0 + c * z;
        let v = v * v * v;
        if v > 0.0 && libm::log(random.uniform()) < 0.5 * z * z + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// When enough has been measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// Which percentile, such as 0.9.
    pub percentile: f64,
    /// Stop once its interval is at most this share of it wide.
    pub width: f64,
    /// Fewest samples, however narrow the interval.
    pub fewest: u64,
    /// Most samples, however wide it is.
    pub most: u64,
}

/// The next step of a runner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Measure again. The interval as far as there is one.
    Again(Option<Interval>),
    /// Stop: the interval is narrow enough.
    Narrow(Interval),
    /// Stop: the budget is spent and the interval, if any, is still wider than asked for.
    Spent(Option<Interval>),
}

impl Stopping {
    /// The next step after the samples so far. A series that is looked at until its interval is narrow stops on its
    /// lucky days: of 95 % intervals so found 83 % hold the percentile (measured by a test below, a look every ten
    /// samples, P90 within 15 %), so say "stopped when narrow enough" beside one.
    pub fn next<O: Origin>(&self, series: &Series<O>, seed: u64) -> Next {
        let interval = series.interval(self.percentile, seed);
        let value = series.percentile(self.percentile);
        match interval.zip(value) {
            Some((interval, value))
                if series.count() >= self.fewest && interval.width_of(value) <= self.width =>
            {
                Next::Narrow(interval)
            }
            _ if series.count() >= self.most => Next::Spent(interval),
            _ => Next::Again(interval),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stats::Measured;
    use super::*;
    use crate::lognormal::Lognormal;

    const TIME: Lognormal = Lognormal { floor: 100.0, mu: 4.0, sigma: 0.6 };

    fn series(count: usize, seed: u64) -> Series<Measured> {
        let mut series = Series::new(Measured);
        let mut random = Random::new(seed, 7);
        (0..count).for_each(|_| series.record(Ms(TIME.draw(&mut random))));
        series
    }

    #[test]
    fn an_interval_waits_for_its_samples_and_holds_the_percentile() {
        assert_eq!(series(28, 1).interval(0.9, 1), None);
        let series = series(300, 1);
        let value = series.percentile(0.9).unwrap();
        let interval = series.interval(0.9, 1).unwrap();
        assert!(interval.low < value && value < interval.high, "{interval:?}");
        assert_eq!(series.interval(0.9, 1), Some(interval), "the same seed, the same interval");
    }

    /// Drawn the long way round, list by list.
    #[test]
    fn ranks_are_those_of_resampled_lists() {
        let count = 100_u64;
        let p = 0.9;
        let mut random = Random::new(3, 3);
        let mut long: Vec<u64> = (0..20_000)
            .map(|_| {
                let mut list: Vec<u64> =
                    (0..count).map(|_| (random.uniform() * count as f64).ceil() as u64).collect();
                list.sort_unstable();
                list[89]
            })
            .collect();
        long.sort_unstable();
        let short = resampled_ranks(count, p, 1);
        for share in [0.025, 0.25, 0.5, 0.75, 0.975] {
            let at = |ranks: &[u64]| ranks[(share * (ranks.len() - 1) as f64) as usize];
            assert!(at(&long).abs_diff(at(&short)) <= 1, "{share}: {} and {}", at(&long), at(&short));
        }
    }

    /// 95 % within the resolution of 600 tries (three standard errors are 2.7 points); the bootstrap of a
    /// percentile is known to fall a little short.
    #[test]
    fn intervals_cover_the_truth_as_often_as_they_say() {
        for (p, count) in [(0.5, 100), (0.9, 300), (0.99, 2_000)] {
            let truth = TIME.quantile(p);
            let covers = |seed: &u64| {
                let interval = series(count, *seed).interval(p, *seed).unwrap();
                // The histogram's steps are 0.1 % wide.
                interval.low.0 <= truth.0 * 1.001 && truth.0 <= interval.high.0 * 1.001
            };
            let share = (0..600).filter(covers).count() as f64 / 600.0;
            println!("P{} of {count}: {:.1} % of intervals hold it", p * 100.0, share * 100.0);
            assert!((0.92..=0.98).contains(&share), "P{p} of {count}: {share}");
        }
    }

    #[test]
    fn the_runner_stops_when_narrow_enough_or_spent() {
        let rule = Stopping { percentile: 0.9, width: 0.1, fewest: 30, most: 2_000 };
        assert_eq!(rule.next(&series(10, 1), 1), Next::Again(None));
        assert!(matches!(rule.next(&series(40, 1), 1), Next::Again(Some(_))));
        assert!(matches!(rule.next(&series(1_500, 1), 1), Next::Narrow(interval)
            if interval.width_of(TIME.quantile(0.9)) < 0.11));
        let strict = Stopping { width: 0.001, ..rule };
        assert!(matches!(strict.next(&series(2_000, 1), 1), Next::Spent(Some(_))));
    }

    /// The coverage lost by looking after every tenth sample.
    #[test]
    fn stopping_early_keeps_most_of_the_confidence() {
        let rule = Stopping { percentile: 0.9, width: 0.15, fewest: 30, most: 3_000 };
        let truth = TIME.quantile(0.9);
        let covered = (0..300).filter(|seed| {
            let mut series = Series::new(Measured);
            let mut random = Random::new(*seed, 9);
            loop {
                (0..10).for_each(|_| series.record(Ms(TIME.draw(&mut random))));
                if let Next::Narrow(interval) | Next::Spent(Some(interval)) = rule.next(&series, *seed) {
                    return interval.low <= truth && truth <= interval.high;
                }
            }
        });
        let share = covered.count() as f64 / 300.0;
        println!("stopped when narrow enough: {:.1} % of intervals hold P90", share * 100.0);
        assert!(share > 0.8, "{share}");
    }
}
