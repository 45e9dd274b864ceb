//! A deployment beside the cloud.

use serde::Serialize;

use super::break_even_volume::{BreakEvenVolumes, break_even_volumes, floor_volume};
use super::payback::{BreakEven, Irr, break_even, irr};
use crate::bill::{Basis, Total, totals};
use crate::deployment::Deployment;
use crate::input::Scenario;
use crate::units::RequestsPerMonth;

/// Which side costs less over the horizon, at present value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The cloud costs strictly more.
    Cheaper,
    /// The deployment costs strictly more than the cloud.
    #[serde(rename = "dearer")]
    MoreExpensive,
    /// The same, up to the rounding of the arithmetic.
    Equal,
}

/// A deployment beside the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Which deployment.
    pub deployment: Deployment,
    /// Cost of the cloud.
    pub cloud: Total,
    /// Cost of the deployment.
    pub other: Total,
    /// Cloud − deployment; `present` is the net present value of choosing the deployment.
    pub saving: Total,
    /// Saving ÷ cost of the cloud, not discounted; `None` when the cloud costs nothing.
    pub saving_share: Option<f64>,
    /// The more expensive ÷ the cheaper, at present value; `None` when the cheaper costs nothing.
    pub ratio: Option<f64>,
    /// Which side costs less, at present value.
    pub verdict: Verdict,
    /// Volumes at which both cost the same, not discounted.
    #[serde(rename = "tipping")]
    pub break_even_volume: BreakEvenVolumes,
    /// The same at present value.
    #[serde(rename = "tipping_present")]
    pub break_even_volume_present: BreakEvenVolumes,
    /// Below this volume the deployment never wins, however long the horizon.
    pub floor_volume: Option<RequestsPerMonth>,
    /// When it has paid for itself, not discounted.
    pub break_even: BreakEven,
    /// The same at present value.
    pub break_even_present: BreakEven,
    /// The internal rate of return on choosing it instead of the cloud.
    pub irr: Option<Irr>,
}

/// A deployment beside the cloud. Inputs are not checked.
pub fn compare(s: &Scenario, deployment: Deployment) -> Comparison {
    let totals = totals(s);
    let cloud = totals[Deployment::Cloud as usize];
    let other = totals[deployment as usize];
    let saving = cloud.beyond(other);
    let high = cloud.present.0.max(other.present.0);
    let low = cloud.present.0.min(other.present.0);
    Comparison {
        deployment,
        cloud,
        other,
        saving,
        saving_share: (cloud.undiscounted.0 > 0.0).then(|| saving.undiscounted.0 / cloud.undiscounted.0),
        ratio: (low > 0.0).then(|| high / low),
        verdict: match saving.present.0 {
            s if s > 0.0 => Verdict::Cheaper,
            s if s < 0.0 => Verdict::MoreExpensive,
            _ => Verdict::Equal,
        },
        break_even_volume: break_even_volumes(s, deployment, Basis::Undiscounted),
        break_even_volume_present: break_even_volumes(s, deployment, Basis::Present),
        floor_volume: floor_volume(s, deployment),
        break_even: break_even(s, deployment, Basis::Undiscounted),
        break_even_present: break_even(s, deployment, Basis::Present),
        irr: irr(s, deployment),
    }
}
