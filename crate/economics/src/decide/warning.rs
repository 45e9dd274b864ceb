//! Inputs that are allowed but hard to believe.

use serde::Serialize;

use super::capacity::capacity;
use crate::bill::request_price;
use crate::deployment::Deployment;
use crate::input::{EgressBasis, EngineeringBasis, FleetBasis, Scenario};
use crate::money::{count, usd};
use crate::units::{Bytes, Usd, UsdPerWeek};

/// Less than this for an engineer's week is implausible, as the source article's $8,000 for 6 to 10 weeks are: the
/// mean wage of US developers, $144,570 a year, is $2,780 a week before any burden.
pub const PLAUSIBLE_WEEK: UsdPerWeek = UsdPerWeek(2_000.0);

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Warning {
    /// Input that it is about.
    pub key: &'static str,
    /// The reason for doubt, in a sentence.
    pub sentence: String,
}

/// Cost of an engineer's week by the estimate chosen; `None` without weeks.
pub fn implied_week(s: &Scenario) -> Option<UsdPerWeek> {
    let e = &s.engineering;
    match e.basis {
        EngineeringBasis::WeeksAtRate => Some(e.usd_per_week),
        EngineeringBasis::LumpSum => (e.weeks.0 > 0.0).then(|| UsdPerWeek(e.lump_sum.0 / e.weeks.0)),
    }
}

/// A share of egress that stands for so many times the bytes of an answer belongs to media, not to text.
const FAR_BEYOND: f64 = 10.0;

/// Bytes of an answer that an egress share pays for; `None` where egress is no share.
fn implied_bytes(s: &Scenario) -> Option<Bytes> {
    let price = request_price(s).0;
    let share = s.cloud.egress_share.0;
    let egress = match s.cloud.egress {
        EgressBasis::ShareOfTotal => price * share / (1.0 - share),
        EgressBasis::Surcharge => price * share,
        EgressBasis::None | EgressBasis::PerGb => return None,
    };
    Some(Bytes(egress / s.cloud.egress_usd_per_gb.0 * 1e9)).filter(|bytes| bytes.0.is_finite())
}

/// Every warning for a scenario.
pub fn warnings(s: &Scenario) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |key, sentence| found.push(Warning { key, sentence });
    if let Some(week) = implied_week(s).filter(|week| *week < PLAUSIBLE_WEEK) {
        let (key, weeks) = match s.engineering.basis {
            EngineeringBasis::LumpSum => ("engineering.lump_sum", s.engineering.weeks.0),
            EngineeringBasis::WeeksAtRate => ("engineering.usd_per_week", s.engineering.weeks.0),
        };
        let week = usd(Usd(week.0));
        let floor = usd(Usd(PLAUSIBLE_WEEK.0));
        let weeks = count(weeks);
        warn(key, format!("{weeks} engineer-weeks at {week} a week: below {floor} a week is not plausible."));
    }
    let needed = capacity(s, Deployment::Edge).filter(|c| c.basis == FleetBasis::Fixed);
    if let Some(needed) = needed.map(|c| c.devices_needed.0).filter(|n| *n > 0.0) {
        let devices = count(needed);
        let speed = s.edge.tokens_per_second.0;
        warn(
            "edge.fleet",
            format!(
                "Capacity unverified: the hardware is as entered, whatever the volume. At {speed} tokens a second a \
                 device, the busiest month would need {devices} devices."
            ),
        );
    }
    if let Some(bytes) = implied_bytes(s).filter(|bytes| bytes.0 > FAR_BEYOND * s.cloud.egress_bytes.0) {
        let bytes = count(bytes.0);
        let size = count(s.cloud.egress_bytes.0);
        let price = usd(Usd(s.cloud.egress_usd_per_gb.0));
        warn(
            "cloud.egress_share",
            format!("At {price} a gigabyte this share is {bytes} bytes an answer; a text has about {size}."),
        );
    }
    if s.on_device.usd_per_device.0 == 0.0 {
        let sentence =
            "The users' devices are counted as if they cost nothing; enter a share of their price.";
        warn("endpoint.usd_per_device", sentence.to_owned());
    }
    found
}
