//! Results in a buyer's words.

use super::evaluate::Report;
use crate::bill::Bill;
use crate::compare::{Comparison, LONGEST_PAYBACK, Verdict};
use crate::deployment::Deployment;
use crate::input::Scenario;
use crate::money::{count, share, usd};
use crate::units::Usd;

impl Report {
    /// A deployment's bill.
    pub fn bill(&self, deployment: Deployment) -> &Bill {
        &self.bills[deployment as usize]
    }

    /// A deployment beside the cloud; `None` for the cloud itself.
    pub fn comparison(&self, deployment: Deployment) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| comparison.deployment == deployment)
    }

    /// Which of cloud and edge costs less, in one sentence, at present value.
    pub fn sentence(&self) -> String {
        self.comparisons[0].sentence(&self.scenario)
    }

    /// From which volume and month the edge wins, in one sentence, at present value.
    pub fn threshold_sentence(&self) -> String {
        self.comparisons[0].threshold_sentence(&self.scenario)
    }
}

impl Comparison {
    /// Which of the two costs less, in one sentence, at present value.
    pub fn sentence(&self, s: &Scenario) -> String {
        let volume = count(s.demand.requests_per_month.0);
        let months = s.finance.horizon.0;
        let noun = self.deployment.noun();
        let today = if s.finance.hurdle_rate.0 > 0.0 { " in today’s money" } else { "" };
        let cloud = usd(self.cloud.present);
        let other = usd(self.other.present);
        let costs = format!(
            "At {volume} requests a month over {months} months the cloud costs {cloud} and {noun} {other}{today}"
        );
        let saving = self.saving.present.0;
        let difference = usd(Usd(saving.abs()));
        match self.verdict {
            Verdict::Cheaper => {
                let of_cloud = (self.cloud.present.0 > 0.0).then(|| saving / self.cloud.present.0);
                let part = of_cloud.map_or(String::new(), |s| format!(" ({})", share(s)));
                format!("{costs}: {noun} saves {difference}{part}.")
            }
            Verdict::MoreExpensive => format!("{costs}: the cloud is cheaper by {difference}."),
            Verdict::Equal => format!("{costs}: they cost the same."),
        }
    }

    /// From which volume and month the deployment wins, in one sentence, at present value.
    pub fn threshold_sentence(&self, s: &Scenario) -> String {
        let months = s.finance.horizon.0;
        let noun = self.deployment.noun();
        let even = &self.break_even_volume_present;
        let over = format!("Over {months} months");
        let volume = match (even.first, even.last) {
            (Some(first), Some(last)) if even.cheaper_above && first != last => format!(
                "{over} {noun} is cheaper above {} requests a month, and at some volumes from {} on",
                count(last.0),
                count(first.0)
            ),
            (_, Some(last)) if even.cheaper_above => {
                format!("{over} {noun} is cheaper above {} requests a month", count(last.0))
            }
            (_, Some(last)) => {
                format!("{over} {noun} is never cheaper above {} requests a month", count(last.0))
            }
            _ if even.cheaper_above => return format!("{over} {noun} is cheaper at every volume."),
            _ => return format!("{over} no volume makes {noun} cheaper."),
        };
        let paid = match self.break_even_present.month {
            Some(0) => "it is cheaper from the start".to_owned(),
            Some(month) if month <= months => format!("it has paid for itself in month {month}"),
            Some(month) => format!("it would pay for itself in month {month}, after the horizon"),
            None => format!("it does not pay for itself within {} years", LONGEST_PAYBACK / 12),
        };
        format!("{volume}; at your volume {paid}.")
    }
}
