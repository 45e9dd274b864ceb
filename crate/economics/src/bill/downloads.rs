//! Downloads that bring a model to users' machines; the key figure is requests answered per download.

use serde::Serialize;

use super::price::{download_share, energy_per_request, request_price, users};
use crate::deployment::Deployment;
use crate::input::Scenario;
use crate::units::{Gigabytes, UsdPerMonth, UsdPerRequest};

/// Downloads of the first month.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Downloads {
    /// Requests ÷ requests of a user.
    pub users: f64,
    /// Users · (new + returning · dropped).
    pub per_month: f64,
    /// Bytes moved in a month.
    pub moved: Gigabytes,
    /// Their price.
    pub cost: UsdPerMonth,
    /// Requests answered on users' machines for each download; `None` without downloads.
    pub answered_per_download: Option<f64>,
    /// At so many a download costs what the cloud would have charged for them; `None` for a free cloud.
    pub break_even: Option<f64>,
    /// The user's electricity for an answer. Assumed, not measured: browsers have no power sensor.
    pub users_energy: UsdPerRequest,
}

/// Downloads of a deployment on users' machines; `None` for the others.
pub fn downloads(s: &Scenario, deployment: Deployment) -> Option<Downloads> {
    let (evicted, size, coverage, watts, speed) = match deployment {
        Deployment::Browser => {
            let b = &s.browser;
            (b.evicted.0, b.download, b.coverage, b.active_power, b.tokens_per_second)
        }
        // A program keeps what it has installed.
        Deployment::OnDevice => {
            let e = &s.on_device;
            (0.0, s.policy.weights, e.coverage, e.active_power, e.tokens_per_second)
        }
        Deployment::Cloud | Deployment::Edge | Deployment::Hybrid => return None,
    };
    let per_month = users(s) * download_share(s, evicted);
    let price = size.0 * s.browser.cdn_usd_per_gb.0;
    let answered = coverage.0 * s.demand.requests_per_month.0;
    Some(Downloads {
        users: users(s),
        per_month,
        moved: Gigabytes(per_month * size.0),
        cost: UsdPerMonth(per_month * price),
        answered_per_download: (per_month > 0.0).then(|| answered / per_month),
        break_even: Some(price / request_price(s).0).filter(|b| b.is_finite()),
        users_energy: energy_per_request(s, watts.0, speed.0),
    })
}
