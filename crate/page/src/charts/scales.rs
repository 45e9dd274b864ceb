//! Where things stand in a drawing: a linear scale over round numbers, bars on it, and what a log axis can hold.
//! Pure geometry; positions are shares of the width, 0 to 1.

use crate::charts::drawings::{Band, Chart, Line, Step, StepKind, Tornado, Waterfall};

/// About how many ticks a scale gets.
const TICKS: f64 = 5.0;
/// Distance that rounding may take a number off the step it stands on, in steps.
const SLACK: f64 = 1e-9;

/// A linear scale from one round number to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Left end.
    pub from: f64,
    /// Right end.
    pub to: f64,
    /// The round numbers, both ends included.
    pub ticks: Vec<f64>,
}

impl Scale {
    /// The round scale that holds all finite `values`; 0 to 1 where there are none.
    pub fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let (low, high) = match (low, high) {
            (l, h) if l > h => (0.0, 1.0),
            // All equal: the value stands in the middle of a span of its own size.
            (l, h) if l == h => {
                let around = l.abs().max(1.0) / 2.0;
                ((l - around).max(f64::MIN), (h + around).min(f64::MAX))
            }
            ends => ends,
        };
        // Halves first: the span of two huge numbers of opposite sign would overflow.
        let step = round_step((high / TICKS) - (low / TICKS));
        let first = (low / step + SLACK).floor();
        let last = (high / step - SLACK).ceil();
        let ticks: Vec<f64> = (0..=(last - first) as usize).map(|i| (first + i as f64) * step).collect();
        Self { from: first * step, to: last * step, ticks }
    }

    /// Where `value` stands, 0 at the left end and 1 at the right; held within both.
    pub fn at(&self, value: f64) -> f64 {
        let span = self.to - self.from;
        if span.is_finite() && span > 0.0 && value.is_finite() {
            ((value - self.from) / span).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// The stretch between two values.
    pub fn span(&self, a: f64, b: f64) -> Span {
        let a = self.at(a);
        let b = self.at(b);
        Span { start: a.min(b), length: (a - b).abs() }
    }

    /// Whether `value` lies on the scale.
    pub fn holds(&self, value: f64) -> bool {
        (self.from..=self.to).contains(&value)
    }
}

/// A stretch of the width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Left end.
    pub start: f64,
    /// How far it reaches.
    pub length: f64,
}

/// The next of 1, 2, 2.5, 5 and 10 times a power of ten that is not below `rough`.
fn round_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powi(rough.log10().floor() as i32);
    let digit = [1.0, 2.0, 2.5, 5.0].into_iter().find(|digit| digit * power >= rough * (1.0 - SLACK));
    digit.unwrap_or(10.0) * power
}

/// Dollars on a tick: `$0`, `$250`, `−$7.5K`, `$1.2M`.
pub fn short_usd(value: f64) -> String {
    let size = value.abs();
    let (scaled, unit) = match size {
        s if s >= 999.5e6 => (s / 1e9, "B"),
        s if s >= 999.5e3 => (s / 1e6, "M"),
        s if s >= 999.5 => (s / 1e3, "K"),
        s => (s, ""),
    };
    let decimals = if size > 0.0 && size < 1.0 { 6 } else { 1 };
    let text = format!("{scaled:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{}${text}{unit}", if value < 0.0 && text != "0" { "−" } else { "" })
}

/// A tornado's scale and the place of each row's bars; rows without finite ends are left out.
pub fn tornado(data: &Tornado) -> (Scale, Vec<usize>) {
    let finite = |value: f64| value.is_finite();
    let kept: Vec<usize> = (0..data.rows.len())
        .filter(|i| finite(data.rows[*i].low.value) && finite(data.rows[*i].high.value))
        .collect();
    let mut values: Vec<f64> =
        kept.iter().flat_map(|i| [data.rows[*i].low.value, data.rows[*i].high.value]).collect();
    values.extend(finite(data.base).then_some(data.base));
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // The line where the verdict changes is worth showing while it does not squeeze the bars.
    let nearest = if low > 0.0 { low } else { -high };
    if nearest > 0.0 && nearest <= high - low {
        values.push(0.0);
    }
    (Scale::around(values), kept)
}

/// One bar of a waterfall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepBar {
    /// Position among the steps.
    pub step: usize,
    /// The total before it.
    pub before: f64,
    /// The total after it.
    pub after: f64,
    /// Where its bar begins: zero for a start and a total, the total before it for the others.
    pub foot: f64,
    /// Whether it is a start or a total.
    pub stands: bool,
}

impl StepBar {
    /// Change of the total; the amount itself for a start or a total.
    pub fn change(&self) -> f64 {
        self.after - self.foot
    }
}

/// A waterfall's scale, which always shows zero, and its bars; steps without a finite amount are left out.
pub fn waterfall(data: &Waterfall) -> (Scale, Vec<StepBar>) {
    let mut total = 0.0;
    let mut bars = Vec::new();
    for (index, Step { amount, kind, .. }) in data.steps.iter().enumerate() {
        if !amount.is_finite() {
            continue;
        }
        let before = total;
        total = match kind {
            StepKind::Start | StepKind::Total => *amount,
            StepKind::Add => before + amount,
            StepKind::Subtract => before - amount,
        };
        let stands = matches!(kind, StepKind::Start | StepKind::Total);
        bars.push(StepBar {
            step: index,
            before,
            after: total,
            foot: if stands { 0.0 } else { before },
            stands,
        });
    }
    let ends = bars.iter().flat_map(|bar| [bar.foot, bar.after]);
    (Scale::around(ends.chain([0.0])), bars)
}

/// The chart as `charts.js` can take it: every line as long as the x axis, x rising and finite, and nothing
/// where a value is not finite or a log axis has no place for it.
pub fn drawable(chart: &Chart) -> Chart {
    let mut last = f64::NEG_INFINITY;
    let mut kept = Vec::new();
    for (index, x) in chart.x.values.iter().copied().enumerate() {
        if x.is_finite() && x > last && !(chart.x.log && x <= 0.0) {
            kept.push(index);
            last = x;
        }
    }
    let place = |value: f64| value.is_finite() && !(chart.y.log && value <= 0.0);
    let column = |values: &[Option<f64>]| -> Vec<Option<f64>> {
        kept.iter().map(|i| values.get(*i).copied().flatten().filter(|v| place(*v))).collect()
    };
    let series = chart.series.iter().map(|line| Line {
        label: line.label.clone(),
        role: line.role,
        values: column(&line.values),
        band: line.band.as_ref().map(|band| Band { low: column(&band.low), high: column(&band.high) }),
    });
    let mut x = chart.x.clone();
    x.values = kept.iter().map(|i| chart.x.values[*i]).collect();
    let on_axis = |x: f64| x.is_finite() && !(chart.x.log && x <= 0.0);
    let marks = chart.marks.iter().filter(|mark| on_axis(mark.x) && place(mark.y)).cloned().collect();
    Chart { x, y: chart.y.clone(), series: series.collect(), marks }
}
