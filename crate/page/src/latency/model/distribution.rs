//! How times are distributed: the share of answers within a time, and how many fall into each span of it.

use latency::stats::{self, Series};

use crate::charts::drawings::{Axis, Chart, Line, Role, Row, Table, Unit};
use crate::shared::format;

/// Points along a cumulative curve.
const POINTS: usize = 96;
/// Spans of a histogram.
const SPANS: usize = 24;
/// Every so many points of a curve are a row of its table.
const TABLE_STEP: usize = 8;

/// One side's times. Its label says whether they were measured or simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Name in the legend.
    pub label: String,
    /// How its line is drawn.
    pub role: Role,
    /// Times, ms, and how often each came; rising.
    bins: Vec<(f64, u64)>,
    count: u64,
}

impl Side {
    /// `None` without samples.
    pub fn of<O: stats::Origin>(label: impl Into<String>, role: Role, series: &Series<O>) -> Option<Self> {
        let bins: Vec<_> = series.bins().map(|(time, count)| (time.0, count)).collect();
        let count = bins.iter().map(|(_, count)| count).sum();
        (count > 0).then(|| Self { label: label.into(), role, bins, count })
    }

    /// Per cent of the times above `low` and up to `high`, ms.
    fn between(&self, low: f64, high: f64) -> f64 {
        let inside: u64 =
            self.bins.iter().filter(|(ms, _)| *ms > low && *ms <= high).map(|(_, count)| count).sum();
        100.0 * inside as f64 / self.count as f64
    }
}

/// Makes a drawing with its table of the sides' times; the text is the time's name. `None` without a side.
pub type Draw = fn(&str, &[Side]) -> Option<(Chart, Table)>;

/// Per cent of each side's answers within a time. `what`: the time's name. `None` without a side.
pub fn cumulative(what: &str, sides: &[Side]) -> Option<(Chart, Table)> {
    let (edges, log) = edges(sides, POINTS)?;
    let values = |side: &Side| edges.iter().map(|ms| Some(side.between(-1.0, *ms))).collect();
    let chart = chart(what, "Answers within that time, %", &edges, log, sides, values);
    let table = table(&chart, TABLE_STEP);
    Some((chart, table))
}

/// Per cent of each side's answers in each of a few spans of time, equal or, on a log axis, in equal ratios.
pub fn histogram(what: &str, sides: &[Side]) -> Option<(Chart, Table)> {
    let (edges, log) = edges(sides, SPANS)?;
    let lower = |at: usize| if at == 0 { -1.0 } else { edges[at - 1] };
    let values = |side: &Side| (0..edges.len()).map(|at| Some(side.between(lower(at), edges[at]))).collect();
    let chart = chart(&format!("{what}, up to"), "Answers in that span, %", &edges, log, sides, values);
    let table = table(&chart, 1);
    Some((chart, table))
}

/// Times that lie further apart than this ratio are drawn on a log axis.
const FAR_APART: f64 = 30.0;

/// From just below the shortest to just above the longest time of all sides, in equal steps, or in equal ratios where
/// they lie far apart; and which of the two.
fn edges(sides: &[Side], count: usize) -> Option<(Vec<f64>, bool)> {
    let ends = sides.iter().filter_map(|side| Some((side.bins.first()?.0, side.bins.last()?.0)));
    let (low, high) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let low = (0.97 * low).max(0.01);
    let high = 1.03 * high;
    let log = high > FAR_APART * low;
    let steps = (count - 1) as f64;
    let at = |at: usize| match log {
        true => low * (high / low).powf(at as f64 / steps),
        false => low + (high - low) * (at as f64 / steps),
    };
    Some(((0..count).map(at).collect(), log))
}

fn chart(
    x: &str,
    y: &str,
    edges: &[f64],
    log: bool,
    sides: &[Side],
    values: impl Fn(&Side) -> Vec<Option<f64>>,
) -> Chart {
    let axis = |label: String, log, values| Axis { label, unit: Unit::Count, log, values };
    let line =
        |side: &Side| Line { label: side.label.clone(), role: side.role, values: values(side), band: None };
    Chart {
        x: axis(format!("{x}, ms"), log, edges.to_vec()),
        y: axis(y.to_owned(), false, Vec::new()),
        series: sides.iter().map(line).collect(),
        marks: Vec::new(),
    }
}

fn table(chart: &Chart, step: usize) -> Table {
    let heads = chart.series.iter().map(|line| format!("{}, %", line.label));
    let rows = chart.x.values.iter().enumerate().filter(|(at, _)| at % step == step - 1).map(|(at, ms)| {
        let shares =
            chart.series.iter().map(|line| line.values[at].map_or(String::new(), |v| format::decimal(v, 1)));
        Row { cells: [format::decimal(*ms, 1)].into_iter().chain(shares).collect(), note: None }
    });
    Table { heads: [chart.x.label.clone()].into_iter().chain(heads).collect(), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latency::Ms;
    use latency::stats::{Measured, Simulated};

    fn sides() -> Vec<Side> {
        let mut here = Series::new(Measured);
        (1..=100).for_each(|n| here.record(Ms(f64::from(n))));
        let mut cloud = Series::new(Simulated { preset: "p".into(), seed: 1 });
        [200.0, 400.0].into_iter().for_each(|ms| cloud.record(Ms(ms)));
        [Side::of("here, measured", Role::Browser, &here), Side::of("cloud, simulated", Role::Cloud, &cloud)]
            .into_iter()
            .flatten()
            .collect()
    }

    #[test]
    fn a_cumulative_curve_rises_from_none_to_all() {
        let (chart, table) = cumulative("Time to first token", &sides()).unwrap();
        for line in &chart.series {
            let values: Vec<f64> = line.values.iter().map(|v| v.unwrap()).collect();
            assert!(values.is_sorted(), "{}", line.label);
            assert_eq!((values[0], values[POINTS - 1]), (0.0, 100.0), "{}", line.label);
        }
        assert!(chart.x.values.is_sorted() && chart.x.log);
        assert_eq!(table.rows.len(), POINTS / TABLE_STEP);
        let last = &table.rows[table.rows.len() - 1].cells;
        assert_eq!(last[1..], ["100.0", "100.0"], "the table ends where the curve does");
    }

    #[test]
    fn a_histogram_counts_every_answer_once() {
        let (chart, table) = histogram("Time to first token", &sides()).unwrap();
        for line in &chart.series {
            let all: f64 = line.values.iter().flatten().sum();
            assert!((all - 100.0).abs() < 1e-9, "{}: {all}", line.label);
        }
        assert_eq!(table.rows.len(), SPANS);
    }

    #[test]
    fn no_samples_no_drawing() {
        assert_eq!(Side::of("none", Role::Cloud, &Series::new(Measured)), None);
        assert!(cumulative("x", &[]).is_none() && histogram("x", &[]).is_none());
    }

    #[test]
    fn a_single_time_can_be_drawn() {
        let mut one = Series::new(Measured);
        one.record(Ms(250.0));
        let side = Side::of("one", Role::Browser, &one).unwrap();
        let (chart, _) = cumulative("x", &[side]).unwrap();
        assert_eq!(chart.series[0].values[POINTS - 1], Some(100.0));
    }
}
