//! Switching values: the value of an input at which another deployment becomes the cheaper, the others as they are.

use crate::bill::{Basis, totals};
use crate::deployment::Deployment;
use crate::input::{FIELDS, Field, Scenario};

/// One input and its switching values over everything it may be.
#[derive(Clone)]
pub struct InputSwitching {
    /// Which input.
    pub field: &'static Field,
    /// Its switching values.
    pub switching: Switching,
}

/// The switching values of an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Switching {
    /// Neither cost moves.
    NoEffect,
    /// The same deployment stays the cheaper whatever the input; `None` where they cost the same throughout.
    Never(Option<Deployment>),
    /// The cheaper changes at these values, which rise.
    At(Vec<SwitchingValue>),
}

/// A value at which the cheaper of two deployments changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwitchingValue {
    /// The input's value, in its unit; the first of the new verdict where only whole ones are allowed.
    pub value: f64,
    /// The cheaper below.
    pub below: Deployment,
    /// The cheaper above.
    pub above: Deployment,
}

/// Two totals that differ by less than this share are the same: the rounding of some dozens of products.
const ROUNDING: f64 = 1e-13;

/// Points of the scan on each of its axes.
const SCAN: usize = 96;

/// Decades below the largest value that the logarithmic axis reaches.
const DECADES: f64 = 12.0;

/// Points within each stretch where the verdict changes, and its neighbours: a fleet is a staircase, whose steps
/// cross the cloud's line several times close together.
const RESCAN: usize = 128;

/// Halvings that find a switching value to the last bit or so.
const HALVINGS: usize = 60;

/// The verdict between `pair` over everything each relevant input may be, input by input. Switching values that come in
/// pairs, closer together than the scan's points and away from any other, may be missed.
pub fn all_switching_values(s: &Scenario, pair: [Deployment; 2], basis: Basis) -> Vec<InputSwitching> {
    let relevant = FIELDS.iter().filter(|field| (field.relevant)(s));
    relevant
        .map(|field| InputSwitching { field, switching: switching_values(s, field, pair, basis) })
        .collect()
}

/// The same for one input: several hundred totals, in a browser 2 to 3 ms on average: a list of all
/// inputs is better made one by one, between frames.
pub fn switching_values(s: &Scenario, field: &Field, pair: [Deployment; 2], basis: Basis) -> Switching {
    let line = Line { s, field, pair, basis };
    let first: Vec<Point> = grid(field, (field.get)(s)).into_iter().map(|x| line.at(x)).collect();
    if first.iter().all(|point| point.costs == first[0].costs) {
        return Switching::NoEffect;
    }
    let mut points = if field.whole { first } else { line.refined(&first) };
    // A tie is where a verdict may change, not one of its own.
    points.retain(|point| point.cheaper.is_some());
    let Some(start) = points.first() else { return Switching::Never(None) };
    let constant = Switching::Never(start.cheaper);
    let values: Vec<SwitchingValue> =
        points.windows(2).filter_map(|ends| line.crossing(ends[0], ends[1])).collect();
    if values.is_empty() { constant } else { Switching::At(values) }
}

/// One input of one scenario, and two costs along it.
struct Line<'a> {
    s: &'a Scenario,
    field: &'a Field,
    pair: [Deployment; 2],
    basis: Basis,
}

#[derive(Clone, Copy)]
struct Point {
    x: f64,
    costs: [f64; 2],
    cheaper: Option<Deployment>,
}

impl Line<'_> {
    fn at(&self, x: f64) -> Point {
        let mut at = *self.s;
        (self.field.set)(&mut at, x);
        let all = totals(&at);
        let costs = self.pair.map(|d| self.basis.of(all[d as usize]).0);
        let difference = costs[0] - costs[1];
        let tie = difference.abs() <= ROUNDING * costs[0].abs().max(costs[1].abs());
        let cheaper = (!tie).then(|| self.pair[usize::from(difference > 0.0)]);
        Point { x, costs, cheaper }
    }

    /// More points wherever the verdict changes within a stretch or the one beside it.
    fn refined(&self, points: &[Point]) -> Vec<Point> {
        let changes: Vec<bool> = points.windows(2).map(|ends| ends[0].cheaper != ends[1].cheaper).collect();
        let mut refined = Vec::new();
        for (i, ends) in points.windows(2).enumerate() {
            refined.push(ends[0]);
            if changes[i.saturating_sub(1)..changes.len().min(i + 2)].contains(&true) {
                let from = ends[0].x;
                let to = ends[1].x;
                let step = (to - from) / RESCAN as f64;
                refined.extend((1..RESCAN).map(|k| self.at(from + k as f64 * step)));
            }
        }
        refined.extend(points.last());
        refined
    }

    /// Where the verdict changes between two points without a tie, if it does.
    fn crossing(&self, from: Point, to: Point) -> Option<SwitchingValue> {
        let below = from.cheaper?;
        let above = to.cheaper?;
        let mut left = from.x;
        let mut right = to.x;
        for _ in 0..if self.field.whole { 0 } else { HALVINGS } {
            let middle = 0.5 * (left + right);
            match self.at(middle).cheaper {
                Some(cheaper) if cheaper == below => left = middle,
                _ => right = middle,
            }
        }
        (below != above).then_some(SwitchingValue { value: right, below, above })
    }
}

/// Where an input is tried: every whole number, or its range in even steps, its slider in even steps, its range in
/// even ratios, and what it is now.
fn grid(field: &Field, now: f64) -> Vec<f64> {
    let Field { min, max, slider_min, slider_max, .. } = *field;
    let even = |from: f64, to: f64| (0..=SCAN).map(move |i| from + (to - from) * i as f64 / SCAN as f64);
    let ratio = |i: usize| max * libm::exp10(-DECADES * i as f64 / SCAN as f64);
    let mut points: Vec<f64> = if field.whole {
        (min as u32..=max as u32).map(f64::from).collect()
    } else {
        even(min, max).chain(even(slider_min, slider_max)).chain((0..=SCAN).map(ratio)).chain([now]).collect()
    };
    points.retain(|x| (min..=max).contains(x));
    points.sort_by(f64::total_cmp);
    points.dedup();
    points
}
