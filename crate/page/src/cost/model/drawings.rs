//! A report, turned into drawings and the tables that say the same.

use economics::uncertainty::{Band as Range, Bar, Quantiles, Uncertain, tornado};
use economics::{
    Basis, Deployment, Months, Report, RequestsPerMonth, Scenario, Usd, by_volume, count, cumulative,
    log_volumes, usd, waterfall,
};

use crate::charts::drawings::{
    Axis, Band, Chart, End, Line, Mark, Role, Row, Step, StepKind, Swing, Table, Tornado, Unit, Waterfall,
};
use crate::cost::model::entries::{entry, unit};

/// Points on the curve over volume: enough that a log axis shows no corners.
const VOLUME_POINTS: usize = 61;
/// Rows a table of months has at most, besides the break-even month and the last.
const MOST_ROWS: u32 = 12;
/// The curve over volume reaches at least this factor beyond the volumes that matter, on both sides.
const AROUND: f64 = 2.0;
/// Bars of a tornado: the inputs that matter.
const BARS: usize = 10;

impl From<Deployment> for Role {
    fn from(deployment: Deployment) -> Self {
        match deployment {
            Deployment::Cloud => Role::Cloud,
            Deployment::Edge => Role::Edge,
            Deployment::OnDevice => Role::Endpoint,
            Deployment::Browser => Role::Browser,
            Deployment::Hybrid => Role::Hybrid,
        }
    }
}

fn dollars(label: &str) -> Axis {
    Axis { label: label.to_owned(), unit: Unit::Usd, log: false, values: Vec::new() }
}

/// One line for each deployment; a log axis has no place for 0 and below.
/// Two have their range drawn, the cloud and the one in focus: five would hide each other.
fn lines(
    log: bool,
    focus: Deployment,
    points: usize,
    at: impl Fn(usize, Deployment) -> Usd,
    ranges: &[Range],
) -> Vec<Line> {
    let place = |dollars: f64| (!log || dollars > 0.0).then_some(dollars);
    let line = |deployment: Deployment| {
        let edge = |of: fn(&Quantiles) -> Usd| {
            ranges.iter().map(|range| place(of(&range.cost[deployment as usize]).0)).collect()
        };
        // A range of another run, with other points, is not drawn.
        let ranged = ranges.len() == points && [Deployment::Cloud, focus].contains(&deployment);
        let band = ranged.then(|| Band { low: edge(|q| q.p10), high: edge(|q| q.p90) });
        Line {
            label: deployment.label().to_owned(),
            role: deployment.into(),
            values: (0..points).map(|point| place(at(point, deployment).0)).collect(),
            band,
        }
    };
    Deployment::ALL.map(line).into()
}

/// Every deployment month by month, with the point where the one in focus has paid for itself.
pub fn months_chart(report: &Report, focus: Deployment, ranges: &[Range]) -> Chart {
    let points = cumulative(&report.scenario);
    let horizon = f64::from(report.scenario.finance.horizon.0);
    let marks = report.comparison(focus).into_iter().filter_map(|c| {
        let at = c.break_even_present.exact_months.filter(|at| *at <= horizon)?;
        let before = points.get(at.floor() as usize)?;
        let after = points.get(at.ceil() as usize)?;
        let [y0, y1] = [before, after].map(|point| point.totals[focus as usize].present.0);
        let label = format!("{}: paid for itself in month {}", focus.label(), c.break_even_present.month?);
        Some(Mark { x: at, y: y0 + (y1 - y0) * at.fract(), label })
    });
    Chart {
        x: Axis {
            label: "Month".to_owned(),
            unit: Unit::Count,
            log: false,
            values: points.iter().map(|p| f64::from(p.month.0)).collect(),
        },
        y: dollars("Paid so far, US dollars"),
        series: lines(false, focus, points.len(), |i, d| points[i].totals[d as usize].present, ranges),
        marks: marks.collect(),
    }
}

/// Heads of a table with a column for each deployment.
fn heads(first: &str) -> Vec<String> {
    std::iter::once(first).chain(Deployment::ALL.map(Deployment::label)).map(str::to_owned).collect()
}

fn cells(first: String, totals: &[economics::Total; 5]) -> Vec<String> {
    std::iter::once(first).chain(totals.iter().map(|total| usd(total.present))).collect()
}

/// The same as a table.
pub fn months_table(report: &Report, focus: Deployment) -> Table {
    let horizon = report.scenario.finance.horizon.0;
    let step = horizon.div_ceil(MOST_ROWS).max(1);
    let break_even = report.comparison(focus).and_then(|c| c.break_even_present.month);
    let rows = cumulative(&report.scenario).into_iter().filter_map(|point| {
        let month = point.month.0;
        let crossing = break_even == Some(month);
        let kept = month.is_multiple_of(step) || month == horizon || crossing;
        let note = crossing.then(|| format!("{}: paid for itself", focus.label()));
        kept.then(|| Row { cells: cells(month.to_string(), &point.totals), note })
    });
    Table { heads: heads("Month"), rows: rows.collect() }
}

/// The range of volumes worth drawing: the powers of ten around the break-even volumes and the visitor's own volume.
fn volumes(s: &Scenario) -> (f64, f64) {
    let own = s.demand.requests_per_month.0;
    let tips = [Deployment::Edge, Deployment::OnDevice, Deployment::Browser, Deployment::Hybrid]
        .map(|d| economics::break_even_volumes(s, d, Basis::Present).first.map(|v| v.0));
    let known = || tips.iter().flatten().copied().chain([own]).filter(|v| *v >= 1.0 && *v < 1e10);
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(0.0, f64::max);
    if high == 0.0 {
        return (1e3, 1e8);
    }
    let power = |exponent: f64| 10_f64.powi(exponent.clamp(0.0, 15.0) as i32);
    (power((low / AROUND).log10().floor()), power((high * AROUND).log10().ceil()))
}

/// Where the curves are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// From the start to the horizon.
    pub months: Vec<Months>,
    /// Around the volumes that matter.
    pub volumes: Vec<RequestsPerMonth>,
}

impl Axes {
    /// Of a scenario.
    pub fn of(s: &Scenario) -> Self {
        Self { months: (0..=s.finance.horizon.0).map(Months).collect(), volumes: volume_axis(s) }
    }
}

/// The volumes at which the curve is drawn.
fn volume_axis(s: &Scenario) -> Vec<RequestsPerMonth> {
    let (from, to) = volumes(s);
    log_volumes(RequestsPerMonth(from), RequestsPerMonth(to), VOLUME_POINTS)
}

/// Every deployment over the horizon, by volume, with the break-even volume of the one in focus and the visitor's volume.
pub fn volume_chart(report: &Report, focus: Deployment, ranges: &[Range]) -> Chart {
    let s = &report.scenario;
    let at = volume_axis(s);
    let points = by_volume(s, &at);
    let mut marks = Vec::new();
    let mut mark = |volume: f64, what: &str| {
        let cost = by_volume(s, &[RequestsPerMonth(volume)])[0].totals[focus as usize].present.0;
        if volume >= 1.0 && cost > 0.0 {
            marks.push(Mark { x: volume, y: cost, label: format!("{what}: {}", count(volume)) });
        }
    };
    if let Some(break_even) = report.comparison(focus).and_then(|c| c.break_even_volume_present.first) {
        mark(break_even.0, "tipping point");
    }
    mark(s.demand.requests_per_month.0, "your volume");
    Chart {
        x: Axis {
            label: "Requests per month".to_owned(),
            unit: Unit::Count,
            log: true,
            values: at.iter().map(|volume| volume.0).collect(),
        },
        y: Axis { log: true, ..dollars("Paid over the horizon") },
        series: lines(true, focus, points.len(), |i, d| points[i].totals[d as usize].present, ranges),
        marks,
    }
}

/// The same as a table: round volumes, the break-even volume, and the visitor's own volume.
pub fn volume_table(report: &Report, focus: Deployment) -> Table {
    let s = &report.scenario;
    let (from, to) = volumes(s);
    let mut at: Vec<(f64, Option<String>)> = round_between(from, to).map(|volume| (volume, None)).collect();
    at.push((s.demand.requests_per_month.0, Some("your volume".to_owned())));
    if let Some(break_even) = report.comparison(focus).and_then(|c| c.break_even_volume_present.first) {
        at.push((break_even.0, Some(format!("tipping point of {}", focus.label()))));
    }
    at.sort_by(|a, b| a.0.total_cmp(&b.0));
    // A round volume that is also the visitor's own is told once, with its note.
    at.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same && earlier.1.is_none() {
            earlier.1 = later.1.take();
        }
        same
    });
    let volumes: Vec<RequestsPerMonth> = at.iter().map(|(volume, _)| RequestsPerMonth(*volume)).collect();
    let points = by_volume(s, &volumes);
    let rows = points
        .iter()
        .zip(at)
        .map(|(point, (volume, note))| Row { cells: cells(count(volume), &point.totals), note });
    Table { heads: heads("Requests per month"), rows: rows.collect() }
}

/// 1, 2 and 5 times the powers of ten from `from` to `to`.
fn round_between(from: f64, to: f64) -> impl Iterator<Item = f64> {
    (0..12)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
        .filter(move |v| (from..=to).contains(v))
}

/// Effect of each uncertain input alone on the saving of the deployment in focus.
pub fn tornado_chart(report: &Report, uncertain: &[Uncertain], focus: Deployment) -> Tornado {
    let s = &report.scenario;
    let base = report.comparison(focus).map_or(0.0, |c| c.saving.present.0);
    let swing = |bar: Bar| {
        let end = |i: usize| End {
            input: format!("{} {}", entry(bar.field, bar.inputs[i]), unit(bar.field)),
            value: bar.savings[i].0,
            text: usd(bar.savings[i]),
        };
        let low = end(0);
        let high = end(1);
        let detail = format!(
            "{}: at {} the saving is {}, at {} it is {}.",
            bar.field.label, low.input, low.text, high.input, high.text
        );
        let changes_verdict = (low.value > 0.0) != (high.value > 0.0);
        Swing { label: bar.field.label.to_owned(), low, high, changes_verdict, detail }
    };
    Tornado {
        measure: format!("Saving of {} beside the cloud, present value", focus.label()),
        base,
        base_text: usd(Usd(base)),
        below_zero: "cloud cheaper".to_owned(),
        above_zero: format!("{} cheaper", focus.label()),
        rows: tornado(s, uncertain, focus, Basis::Present).into_iter().take(BARS).map(swing).collect(),
    }
}

/// From the cloud's cost avoided, line by line, to the net present value of the deployment in focus.
pub fn waterfall_chart(report: &Report, focus: Deployment) -> Waterfall {
    let steps = waterfall(&report.scenario, focus);
    let last = steps.len() - 1;
    let steps = steps.into_iter().enumerate().map(|(index, step)| {
        let kind = match step.change.0 {
            _ if index == last => StepKind::Total,
            _ if index == 0 => StepKind::Start,
            change if change < 0.0 => StepKind::Subtract,
            _ => StepKind::Add,
        };
        let amount = if step.total { step.change.0 } else { step.change.0.abs() };
        Step {
            label: step.label.to_owned(),
            amount,
            text: usd(step.change),
            kind,
            detail: format!("{}: {}, which leaves {}.", step.label, usd(step.change), usd(step.after)),
        }
    });
    Waterfall {
        measure: format!(
            "Present value over {} months: {} instead of the cloud",
            report.scenario.finance.horizon.0,
            focus.label()
        ),
        steps: steps.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Report {
        economics::evaluate(&Scenario::seed_example()).unwrap()
    }

    #[test]
    fn the_seed_example_breaks_even_in_month_19() {
        let report = seed();
        let chart = months_chart(&report, Deployment::Edge, &[]);
        assert_eq!(chart.x.values.len(), 37);
        assert!(chart.marks[0].label.ends_with("in month 19"), "{}", chart.marks[0].label);
        let table = months_table(&report, Deployment::Edge);
        let row = table.rows.into_iter().find(|row| row.cells[0] == "19").unwrap();
        assert_eq!(&row.cells[1..3], ["$28,500", "$27,600"]);
    }

    #[test]
    fn the_seed_example_tips_where_the_pin_says() {
        let report = seed();
        let chart = volume_chart(&report, Deployment::Edge, &[]);
        assert_eq!(chart.marks[0].label, "tipping point: 1,274,074");
        assert!(chart.x.values.first() < Some(&chart.marks[0].x));
        let table = volume_table(&report, Deployment::Edge);
        assert!(table.rows.iter().any(|row| row.cells[0] == "1,274,074"));
        let own: Vec<_> = table.rows.into_iter().filter(|row| row.cells[0] == "2,000,000").collect();
        assert_eq!((own.len(), own[0].note.as_deref()), (1, Some("your volume")));
    }

    #[test]
    fn a_free_cloud_has_charts_without_a_break_even_volume() {
        let mut scenario = Scenario::seed_example();
        scenario.cloud.usd_per_request.0 = 0.0;
        scenario.demand.requests_per_month.0 = 0.0;
        let report = economics::evaluate(&scenario).unwrap();
        assert!(months_chart(&report, Deployment::Edge, &[]).marks.is_empty());
        let chart = volume_chart(&report, Deployment::Edge, &[]);
        assert!(chart.marks.is_empty());
        assert!(chart.series[0].values.iter().all(Option::is_none));
        assert!(!volume_table(&report, Deployment::Edge).rows.is_empty());
    }

    #[test]
    fn a_waterfall_ends_in_the_saving() {
        let chart = waterfall_chart(&seed(), Deployment::Edge);
        assert_eq!(chart.steps[0].text, "$54,000");
        assert_eq!(chart.steps.last().unwrap().text, "$19,600");
        let taken: f64 = chart.steps.iter().filter(|s| s.kind == StepKind::Subtract).map(|s| s.amount).sum();
        assert!((taken - 34_400.0).abs() < 1e-6, "{taken}");
    }
}
