//! The cost form's texts, read into a scenario, and a report turned into charts and their tables.

use economics::{
    FIELDS, Field, Report, RequestsPerMonth, Scenario, by_volume, count, cumulative, log_volumes, usd,
};
use serde::Serialize;

use crate::format;

/// What stands in the form, one text a field, in the order of [`FIELDS`].
pub type Texts = [String; FIELDS.len()];

/// Points on the curve over volume: enough that a log axis shows no corners.
const VOLUME_POINTS: usize = 61;
/// Rows a table of months has at most, besides the break-even month and the last.
const MOST_ROWS: u32 = 12;
/// The curve over volume reaches at least this factor beyond the volumes that matter, on both sides.
const AROUND: f64 = 2.0;

/// The texts that show a scenario.
pub fn texts(scenario: &Scenario) -> Texts {
    FIELDS.each_ref().map(|field| entry((field.get)(scenario)))
}

/// A number as the form shows it: separators from a thousand up, no rounding.
pub fn entry(value: f64) -> String {
    if value >= 1e3 && value.fract() == 0.0 { format::count(value) } else { format::plain(value) }
}

/// Reads the form.
///
/// # Errors
/// Every problem at once, each as (position in [`FIELDS`], sentence).
pub fn read(texts: &Texts) -> Result<Scenario, Vec<(usize, String)>> {
    let mut scenario = Scenario::seed_example();
    let mut problems = Vec::new();
    for (i, field) in FIELDS.iter().enumerate() {
        match read_field(field, &texts[i]) {
            Ok(value) => (field.set)(&mut scenario, value),
            Err(problem) => problems.push((i, problem)),
        }
    }
    if problems.is_empty() { Ok(scenario) } else { Err(problems) }
}

fn read_field(field: &Field, text: &str) -> Result<f64, String> {
    let typed = text.trim();
    let shown: String = typed.chars().take(24).collect();
    let range = format!("Enter {} to {} ({}).", entry(field.min), entry(field.max), field.unit);
    let refuse = |what: &str| format!("{}: {what}. {range}", field.label);
    if typed.is_empty() {
        return Err(refuse("nothing is entered"));
    }
    let value = number(typed).ok_or_else(|| refuse(&format!("“{shown}” is not a number")))?;
    if field.check(value).is_err() {
        return Err(refuse(&format!("{shown} is outside the range")));
    }
    // Months are counted, not measured.
    if field.unit == "months" && value.fract() != 0.0 {
        return Err(refuse(&format!("{shown} is not a whole number")));
    }
    Ok(value)
}

/// Reads a decimal number. Commas are taken only where they separate thousands: `1,5` could mean one and a half
/// as well as fifteen, so it is refused rather than guessed.
fn number(typed: &str) -> Option<f64> {
    let bare: String = typed.chars().filter(|c| !matches!(c, ' ' | '_' | '\u{a0}' | '\u{202f}')).collect();
    let (whole, _) = bare.split_once('.').unwrap_or((&bare, ""));
    let groups: Vec<&str> = whole.split(',').collect();
    let grouped = groups.len() == 1
        || (!groups[0].is_empty()
            && groups[0].len() <= 3
            && groups[1..].iter().all(|group| group.len() == 3));
    let digits = bare.replace(',', "");
    let plain = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    if grouped && plain { digits.parse().ok() } else { None }
}

/// One axis of a chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// What it counts.
    pub label: &'static str,
    /// Whether it is logarithmic.
    pub log: bool,
    /// Positions along it; empty for the vertical one.
    pub values: Vec<f64>,
}

/// One line of a chart; `None` where a log axis has no place for the value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Name at its end.
    pub label: &'static str,
    /// Which side it shows: `cloud` or `edge`.
    pub role: &'static str,
    /// Dollars at each position of the x axis.
    pub values: Vec<Option<f64>>,
}

/// A marked point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// Position along the x axis.
    pub x: f64,
    /// Dollars.
    pub y: f64,
    /// What stands beside it.
    pub label: String,
}

/// What `charts.js` draws.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chart {
    /// Months or requests.
    pub x: Axis,
    /// Dollars.
    pub y: Axis,
    /// The two sides.
    pub series: Vec<Line>,
    /// Points to point out.
    pub marks: Vec<Mark>,
}

/// A table that says what a chart shows: heads, then rows of the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What the first column counts.
    pub head: &'static str,
    /// First column, cloud, edge, and a note on the row (may be empty).
    pub rows: Vec<[String; 4]>,
}

fn lines(cloud: Vec<Option<f64>>, edge: Vec<Option<f64>>) -> Vec<Line> {
    vec![
        Line { label: "Cloud", role: "cloud", values: cloud },
        Line { label: "Edge", role: "edge", values: edge },
    ]
}

/// Both sides month by month, with the break-even point where it lies within the horizon.
pub fn months_chart(report: &Report) -> Chart {
    let points = cumulative(&report.scenario);
    let months: Vec<f64> = points.iter().map(|p| f64::from(p.month.0)).collect();
    let s = &report.scenario;
    let within = report.break_even.exact_months.filter(|m| *m <= f64::from(s.horizon.0));
    let mark = within.zip(report.break_even.month).map(|(at, month)| Mark {
        x: at,
        y: s.capex.0 + s.engineering.0 + s.lifecycle.0 * at,
        label: format!("break-even: month {month}"),
    });
    Chart {
        x: Axis { label: "Month", log: false, values: months },
        y: Axis { label: "Paid so far, US dollars", log: false, values: Vec::new() },
        series: lines(
            points.iter().map(|p| Some(p.cloud.0)).collect(),
            points.iter().map(|p| Some(p.edge.0)).collect(),
        ),
        marks: mark.into_iter().collect(),
    }
}

/// The same as a table.
pub fn months_table(report: &Report) -> Table {
    let horizon = report.scenario.horizon.0;
    let step = horizon.div_ceil(MOST_ROWS).max(1);
    let break_even = report.break_even.month;
    let rows = cumulative(&report.scenario).into_iter().filter_map(|point| {
        let month = point.month.0;
        let crossing = break_even == Some(month);
        let kept = month.is_multiple_of(step) || month == horizon || crossing;
        let note = if crossing { "the edge has paid for itself" } else { "" };
        kept.then(|| [month.to_string(), usd(point.cloud), usd(point.edge), note.to_owned()])
    });
    Table { head: "Month", rows: rows.collect() }
}

/// The range of volumes worth drawing: the powers of ten around the tipping point and the visitor's own volume.
fn volumes(report: &Report) -> (f64, f64) {
    let own = report.scenario.requests_per_month.0;
    let matter = [Some(own), report.tipping_volume.map(|v| v.0)];
    let known = || matter.iter().flatten().copied().filter(|v| *v >= 1.0 && v.is_finite());
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(0.0, f64::max);
    if high == 0.0 {
        return (1e3, 1e8);
    }
    let power = |exponent: f64| 10_f64.powi(exponent.clamp(0.0, 15.0) as i32);
    (power((low / AROUND).log10().floor()), power((high * AROUND).log10().ceil()))
}

/// Both sides over the horizon, by volume, with the tipping point and the visitor's own volume.
pub fn volume_chart(report: &Report) -> Chart {
    let (from, to) = volumes(report);
    let at = log_volumes(RequestsPerMonth(from), RequestsPerMonth(to), VOLUME_POINTS);
    let points = by_volume(&report.scenario, &at);
    // A log axis has no zero.
    let place = |dollars: f64| (dollars > 0.0).then_some(dollars);
    let mut marks = Vec::new();
    if let Some(tipping) = report.tipping_volume.filter(|v| v.0 >= 1.0 && report.edge.0 > 0.0) {
        marks.push(Mark {
            x: tipping.0,
            y: report.edge.0,
            label: format!("tipping point: {}", count(tipping.0)),
        });
    }
    let own = report.scenario.requests_per_month.0;
    if own >= 1.0 && report.cloud.0 > 0.0 {
        marks.push(Mark { x: own, y: report.cloud.0, label: format!("your volume: {}", count(own)) });
    }
    Chart {
        x: Axis {
            label: "Requests per month (log scale)",
            log: true,
            values: points.iter().map(|p| p.volume.0).collect(),
        },
        y: Axis { label: "Paid over the horizon (log scale)", log: true, values: Vec::new() },
        series: lines(
            points.iter().map(|p| place(p.cloud.0)).collect(),
            points.iter().map(|p| place(p.edge.0)).collect(),
        ),
        marks,
    }
}

/// The same as a table: round volumes, the tipping point, and the visitor's own volume.
pub fn volume_table(report: &Report) -> Table {
    let (from, to) = volumes(report);
    let own = report.scenario.requests_per_month.0;
    let mut at: Vec<(f64, &str)> = round_between(from, to).map(|volume| (volume, "")).collect();
    at.push((own, "your volume"));
    if let Some(tipping) = report.tipping_volume {
        at.push((tipping.0, "tipping point: the same cost"));
    }
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    // A round volume that is also the visitor's own is told once, with its note.
    at.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same && earlier.1.is_empty() {
            earlier.1 = later.1;
        }
        same
    });
    let volumes: Vec<RequestsPerMonth> = at.iter().map(|(volume, _)| RequestsPerMonth(*volume)).collect();
    let points = by_volume(&report.scenario, &volumes);
    let rows = points.iter().zip(&at).map(|(point, (_, note))| {
        [count(point.volume.0), usd(point.cloud), usd(point.edge), (*note).to_owned()]
    });
    Table { head: "Requests per month", rows: rows.collect() }
}

/// 1, 2 and 5 times the powers of ten from `from` to `to`.
fn round_between(from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..12)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
        .filter(move |v| (from..=to).contains(v))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Report {
        economics::evaluate(&Scenario::seed_example()).unwrap()
    }

    #[test]
    fn the_form_shows_what_it_reads() {
        let texts = texts(&Scenario::seed_example());
        assert_eq!(texts[0], "0.00075");
        assert_eq!(texts[1], "2,000,000");
        assert_eq!(read(&texts), Ok(Scenario::seed_example()));
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        assert_eq!(number("2,000,000"), Some(2e6));
        assert_eq!(number("2 000 000"), Some(2e6));
        assert_eq!(number("0.00075"), Some(0.00075));
        assert_eq!(number("1e6"), Some(1e6));
        for doubtful in ["1,5", "1,50", ",5", "inf", "NaN", "2m", "1,0000", ""] {
            assert_eq!(number(doubtful), None, "{doubtful}");
        }
    }

    #[test]
    fn bad_entries_are_explained_all_at_once() {
        let mut texts = texts(&Scenario::seed_example());
        texts[0] = "-1".into();
        texts[2] = "36.5".into();
        texts[3] = String::new();
        let problems = read(&texts).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.0).collect::<Vec<_>>(), [0, 2, 3]);
        assert!(problems[0].1.contains("0 to 1"), "{}", problems[0].1);
    }

    #[test]
    fn the_seed_example_breaks_even_in_month_19() {
        let report = seed();
        let chart = months_chart(&report);
        assert_eq!(chart.x.values.len(), 37);
        assert_eq!(chart.marks[0].label, "break-even: month 19");
        let row = months_table(&report).rows.into_iter().find(|row| row[0] == "19").unwrap();
        assert_eq!(&row[1..3], ["$28,500", "$27,600"]);
    }

    #[test]
    fn the_seed_example_tips_where_the_pin_says() {
        let report = seed();
        let chart = volume_chart(&report);
        assert_eq!(chart.marks[0].label, "tipping point: 1,274,074");
        assert_eq!((chart.x.values[0], chart.x.values[60].round()), (1e5, 1e7));
        assert!(chart.x.values.first() < Some(&chart.marks[0].x));
        assert!(volume_table(&report).rows.iter().any(|row| row[0] == "1,274,074"));
        let own =
            volume_table(&report).rows.into_iter().filter(|row| row[0] == "2,000,000").collect::<Vec<_>>();
        assert_eq!((own.len(), own[0][3].as_str()), (1, "your volume"));
    }

    #[test]
    fn a_free_cloud_has_charts_without_marks() {
        let mut scenario = Scenario::seed_example();
        scenario.usd_per_request.0 = 0.0;
        scenario.requests_per_month.0 = 0.0;
        let report = economics::evaluate(&scenario).unwrap();
        assert!(months_chart(&report).marks.is_empty());
        let chart = volume_chart(&report);
        assert!(chart.marks.is_empty());
        assert!(chart.series[0].values.iter().all(Option::is_none));
        assert!(!volume_table(&report).rows.is_empty());
    }
}
