//! The effect of whole devices on the price of a request.

use serde::Serialize;

use super::saving::Saving;
use crate::bill::Basis;
use crate::deployment::Deployment;
use crate::input::{Edge, Scenario};
use crate::units::{RequestsPerMonth, Usd, UsdPerRequest};

/// The effect of whole devices on the price of a request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeviceCost {
    /// Price · service time · peak ÷ (cap · seconds a month · months): hardware in each request.
    pub per_request: UsdPerRequest,
    /// At this price of a device or above, no volume makes the edge cheaper.
    pub highest_price: Usd,
    /// Where the edge would be cheaper if devices could be bought in parts.
    #[serde(rename = "smooth_tip")]
    pub break_even_volume_in_parts: Option<RequestsPerMonth>,
}

/// The effect of whole devices on the price of a request; `None` where the fleet is as entered.
pub fn device_cost(s: &Scenario, basis: Basis) -> Option<DeviceCost> {
    let priced = |price: f64| Scenario { edge: Edge { device_price: Usd(price), ..s.edge }, ..*s };
    let saving = Saving::new(s, Deployment::Edge, basis);
    let per_device = saving.per_device?;
    let loss = |price: f64| {
        let s = priced(price);
        let saving = Saving::new(&s, Deployment::Edge, basis);
        // Of a thousand, so that rounding up to whole spares does not count a thousandfold.
        (saving.standing(0.0) - saving.standing(1e3)) / 1e3
    };
    let free = loss(0.0);
    let dollar = loss(1.0);
    let gain = saving.per_request * per_device;
    let net = gain - loss(s.edge.device_price.0);
    let requests = per_device * f64::from(s.finance.horizon.0);
    Some(DeviceCost {
        per_request: UsdPerRequest(s.edge.device_price.0 / requests),
        highest_price: Usd(((gain - free) / (dollar - free)).max(0.0)),
        break_even_volume_in_parts: (net > 0.0)
            .then(|| RequestsPerMonth(-saving.standing(0.0) / net * per_device)),
    })
}
