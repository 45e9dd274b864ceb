//! Sustained load: speed and memory over the minutes, and whether the device slows down.

use latency::Ms;
use latency::soak::{self, Soak, SoakError};

use crate::charts::drawings::{Axis, Chart, Line, Role, Row, Table, Unit};
use crate::shared::format;

/// A load so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// When each token came, ms since the load began.
    pub arrivals: Vec<Ms>,
    /// Memory after each answer: (ms since the load began, bytes).
    pub memory: Vec<(f64, u64)>,
}

impl Load {
    /// Adds an answer; times count from the request, ms.
    pub fn answer(&mut self, asked_ms: f64, arrivals_ms: &[f64], memory_bytes: u64) {
        let last = self.arrivals.last().map_or(0.0, |ms| ms.0);
        self.arrivals.extend(arrivals_ms.iter().map(|ms| Ms((asked_ms + ms).max(last))));
        let end = self.arrivals.last().map_or(asked_ms, |ms| ms.0);
        self.memory.push((end, memory_bytes));
    }

    /// The windows' verdict.
    ///
    /// # Errors
    /// The load is too short to compare two windows.
    pub fn assess(&self) -> Result<Soak, SoakError> {
        soak::assess(&soak::speeds(&self.arrivals))
    }
}

/// Seconds that one point of the speed's curve stands for.
const POINT_S: f64 = 5.0;

/// Tokens per second over time, and the windows as a table.
pub fn speed(load: &Load) -> Option<(Chart, Table)> {
    let speeds = soak::speeds(&load.arrivals);
    let mut points: Vec<(f64, f64, u32)> = Vec::new();
    for speed in &speeds {
        let at = (speed.at.0 / 1e3 / POINT_S).floor() * POINT_S;
        match points.last_mut().filter(|(start, ..)| *start == at) {
            Some((_, sum, count)) => (*sum, *count) = (*sum + speed.tokens_per_second, *count + 1),
            None => points.push((at, speed.tokens_per_second, 1)),
        }
    }
    // The end of the load is no whole point; a token or two would look like a leap.
    if points.len() > 1 && points.last().is_some_and(|(.., count)| f64::from(*count) < 0.5 * POINT_S) {
        points.pop();
    }
    let means = points.iter().map(|(_, sum, count)| sum / f64::from(*count));
    let chart = over_time("Tokens per second", points.iter().map(|(at, ..)| *at), means)?;
    Some((chart, windows(load)))
}

/// Memory over time, MB.
pub fn memory(load: &Load) -> Option<(Chart, Table)> {
    let seconds = || load.memory.iter().map(|(ms, _)| ms / 1e3);
    let megabytes = || load.memory.iter().map(|(_, bytes)| *bytes as f64 / 1e6);
    let chart = over_time("Memory, MB", seconds(), megabytes())?;
    let heads = ["Second", "Memory, MB, measured"].map(str::to_owned).into();
    let rows = seconds()
        .zip(megabytes())
        .map(|(s, mb)| Row { cells: vec![format::decimal(s, 1), format::decimal(mb, 1)], note: None });
    Some((chart, Table { heads, rows: rows.collect() }))
}

fn over_time(
    label: &str,
    seconds: impl Iterator<Item = f64>,
    values: impl Iterator<Item = f64>,
) -> Option<Chart> {
    let axis = |label: &str, values: Vec<f64>| Axis {
        label: label.to_owned(),
        unit: Unit::Count,
        log: false,
        values,
    };
    let x = axis("Second", seconds.collect());
    let line = Line {
        label: "This device, measured".to_owned(),
        role: Role::Browser,
        values: values.map(Some).collect(),
        band: None,
    };
    (x.values.len() > 1).then(|| Chart {
        x,
        y: axis(label, Vec::new()),
        series: vec![line],
        marks: Vec::new(),
    })
}

fn windows(load: &Load) -> Table {
    let heads = ["Minute from", "Tokens/s, measured", "Slower than the first, %", "Throttled"]
        .map(str::to_owned)
        .into();
    let soak = load.assess();
    let rows = soak.iter().flat_map(|soak| &soak.windows).map(|window| Row {
        cells: vec![
            format::decimal(window.start.0 / 6e4, 0),
            format::decimal(window.tokens_per_second, 1),
            format::decimal(100.0 * window.slowdown, 1),
            if window.throttled { "yes" } else { "no" }.to_owned(),
        ],
        note: None,
    });
    Table { heads, rows: rows.collect() }
}

/// Whether the device slowed down, by how much and since when; and how often the test is wrong.
pub fn verdict(load: &Load) -> String {
    let soak = match load.assess() {
        Ok(soak) => soak,
        Err(error @ SoakError::Sample { .. }) => return format!("No verdict: {error}."),
        Err(_) => {
            return "Two whole minutes of tokens are needed before one can be compared with another."
                .to_owned();
        }
    };
    let percent = |share: f64| format!("{} %", format::decimal(100.0 * share, 1));
    let drift =
        format!("Over the whole load the speed drifted by {} a minute.", percent(soak.drift_per_minute));
    let rates = "The test flags a minute that is more than 5 % and more than chance slower than the first; with noise of 5 % \
                 it raised 1 false alarm in 200 seeded loads and missed none of 200 that lost 10 %.";
    if !soak.throttled() {
        return format!(
            "No throttling: no minute was clearly more than 5 % slower than the first. {drift} {rates}"
        );
    }
    let since =
        soak.since.map_or(String::new(), |ms| format!(" from second {} on", format::decimal(ms.0 / 1e3, 0)));
    let end = if soak.still_throttled() { "and stayed so to the end" } else { "and recovered" };
    format!("This device slowed down by up to {}{since}, {end}. {drift} {rates}", percent(soak.worst))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of 50 tokens, one after the other, at so many tokens a second from each minute on.
    fn load(rates: &[f64]) -> Load {
        let mut load = Load::default();
        let mut at = 0.0;
        while at < 60_000.0 * rates.len() as f64 {
            let gap = 1e3 / rates[(at / 60_000.0) as usize];
            let arrivals: Vec<f64> = (1..=50).map(|n| gap * f64::from(n)).collect();
            load.answer(at, &arrivals, 170_000_000);
            at += 50.0 * gap;
        }
        load
    }

    #[test]
    fn a_device_that_slows_down_is_told_with_its_time() {
        let text = verdict(&load(&[50.0, 50.0, 43.0, 43.0]));
        assert!(text.contains("slowed down by up to 14.0 % from second 12"), "{text}");
        assert!(text.contains("stayed so to the end"), "{text}");
        let text = verdict(&load(&[50.0, 50.0, 50.0]));
        assert!(text.starts_with("No throttling"), "{text}");
    }

    #[test]
    fn a_short_load_is_drawn_without_a_verdict() {
        let short = load(&[50.0]);
        assert!(verdict(&short).starts_with("Two whole minutes"), "{}", verdict(&short));
        let (chart, table) = speed(&short).unwrap();
        assert_eq!(chart.x.values.len(), chart.series[0].values.len());
        assert!(chart.series[0].values.iter().flatten().all(|rate| (rate - 50.0).abs() < 1.0));
        assert!(table.rows.is_empty());
        let (_, table) = memory(&short).unwrap();
        assert_eq!(table.rows[0].cells[1], "170.0");
        assert!(speed(&Load::default()).is_none());
    }
}
