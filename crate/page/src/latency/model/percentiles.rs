//! The percentile table: every metric, with intervals, and blanks where too few samples stand behind a figure.

use latency::corpus::{Category, mean, overall};
use latency::interval::Interval;
use latency::stats::{self, Metrics, Series, Summary, samples_needed};

/// Percentiles of the table.
pub const LEVELS: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

/// One percentile of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The percentile, ms; `None` until enough samples stand behind it.
    pub value: Option<f64>,
    /// Its 95 % bootstrap interval, ms. Gaps within an answer are not independent, so their percentiles have none.
    pub interval: Option<(f64, f64)>,
    /// Samples that it takes.
    pub needs: u64,
}

/// One metric of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Name in test ids and exports.
    pub key: &'static str,
    /// Name on the page.
    pub label: &'static str,
    /// Samples behind it.
    pub samples: u64,
    /// Mean, ms.
    pub mean: Option<f64>,
    /// One for each of [`LEVELS`].
    pub cells: [Cell; LEVELS.len()],
}

/// All four metrics. `seed`: of the bootstrap.
pub fn lines<O: stats::Origin>(summary: &Summary<O>, seed: u64) -> [Line; 4] {
    [
        line("ttft", "Time to first token", &summary.ttft, Some(seed)),
        line("inter-token", "Between tokens", &summary.inter_token, None),
        line("tpot", "Per output token", &summary.tpot, Some(seed)),
        line("end-to-end", "End to end", &summary.end_to_end, Some(seed)),
    ]
}

fn line<O: stats::Origin>(
    key: &'static str,
    label: &'static str,
    series: &Series<O>,
    seed: Option<u64>,
) -> Line {
    let cell = |p: f64| Cell {
        value: series.percentile(p).map(|ms| ms.0),
        interval: seed
            .and_then(|seed| series.interval(p, seed))
            .map(|Interval { low, high }| (low.0, high.0)),
        needs: samples_needed(p),
    };
    Line { key, label, samples: series.count(), mean: series.mean().map(|ms| ms.0), cells: LEVELS.map(cell) }
}

/// Mean time to the first token, ms, and mean tokens per second after it.
pub type Means = [Option<f64>; 2];

/// By category, and for all of them: the geometric mean, once every category has a value.
pub fn by_category(answers: &[(Category, Metrics)]) -> ([(Category, Means); 5], Means) {
    let rate = |answer: &Metrics| answer.tpot.filter(|tpot| tpot.0 > 0.0).map(|tpot| 1e3 / tpot.0);
    let firsts: Vec<_> = answers.iter().map(|(category, answer)| (*category, answer.ttft.0)).collect();
    let rates: Vec<_> = answers.iter().filter_map(|(c, answer)| Some((*c, rate(answer)?))).collect();
    let each = Category::ALL.map(|category| (category, [mean(&firsts, category), mean(&rates, category)]));
    (each, [overall(&firsts), overall(&rates)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use latency::Ms;
    use latency::stats::Measured;

    #[test]
    fn a_percentile_is_blank_until_enough_samples_stand_behind_it() {
        let mut summary = Summary::new(Measured);
        (0..59).for_each(|n| summary.record_arrivals(&[100.0, 120.0].map(|ms| Ms(ms + f64::from(n)))));
        let [first, gaps, ..] = lines(&summary, 1);
        let shown = first.cells.map(|cell| cell.value.is_some());
        assert_eq!(shown, [true, true, true, false, false], "59 samples stand behind P95");
        assert_eq!(first.cells.map(|cell| cell.needs)[1..], [29, 59, 299, 2995]);
        let (low, high) = first.cells[1].interval.unwrap();
        let p90 = first.cells[1].value.unwrap();
        assert!(low <= p90 && p90 <= high, "{low} {p90} {high}");
        assert_eq!(gaps.cells[0].interval, None, "gaps of one answer are not independent");
        assert_eq!(gaps.samples, 59);
    }

    #[test]
    fn the_mean_of_all_needs_every_category() {
        let answer = |ttft| Metrics { ttft: Ms(ttft), tpot: Some(Ms(10.0)), end_to_end: Ms(500.0) };
        let mut answers: Vec<_> = Category::ALL[..4].iter().map(|c| (*c, answer(100.0))).collect();
        let (each, all) = by_category(&answers);
        assert_eq!(each[0].1, [Some(100.0), Some(100.0)]);
        assert_eq!((each[4].1, all), ([None; 2], [None; 2]));
        answers.push((Category::ALL[4], answer(3200.0)));
        let (_, [first, rate]) = by_category(&answers);
        assert!((first.unwrap() - 200.0).abs() < 1e-9, "fifth root of 100⁴ · 3200");
        assert!((rate.unwrap() - 100.0).abs() < 1e-9);
    }
}
