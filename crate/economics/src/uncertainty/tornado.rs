//! Tornado: which input moves the saving most.

use super::uncertain::Uncertain;
use crate::bill::{Basis, totals};
use crate::deployment::Deployment;
use crate::input::{Field, Scenario};
use crate::units::Usd;

/// The saving over the range of one input, the others at their values.
#[derive(Clone, Copy)]
pub struct Bar {
    /// Which input.
    pub field: &'static Field,
    /// Its low and high value, in the field's unit.
    pub inputs: [f64; 2],
    /// The saving at each.
    pub savings: [Usd; 2],
}

impl Bar {
    /// Length of the bar.
    pub fn swing(&self) -> Usd {
        Usd((self.savings[1].0 - self.savings[0].0).abs())
    }
}

/// Swings that differ by less than this share are equal, and stay in the order of the inputs.
const ROUNDING: f64 = 1e-12;

/// The saving of `deployment` beside the cloud with each relevant input at its low and high, longest bar first.
/// Inputs that move nothing are left out.
pub fn tornado(s: &Scenario, uncertain: &[Uncertain], deployment: Deployment, basis: Basis) -> Vec<Bar> {
    let saving = |field: &Field, value: f64| {
        let mut at = *s;
        (field.set)(&mut at, value);
        let costs = totals(&at).map(|total| basis.of(total).0);
        Usd(costs[Deployment::Cloud as usize] - costs[deployment as usize])
    };
    let relevant = uncertain.iter().filter(|u| (u.field.relevant)(s));
    let bar = |u: &Uncertain| Bar {
        field: u.field,
        inputs: [u.low, u.high],
        savings: [saving(u.field, u.low), saving(u.field, u.high)],
    };
    let mut bars: Vec<Bar> = relevant.map(bar).filter(|bar| bar.swing().0 > 0.0).collect();
    let rounded = |bar: &Bar| {
        let swing = bar.swing().0;
        let step = ROUNDING * 10_f64.powi(libm::log10(swing).ceil() as i32);
        (swing / step).round() * step
    };
    bars.sort_by(|a, b| rounded(b).total_cmp(&rounded(a)));
    bars
}
