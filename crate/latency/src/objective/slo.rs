//! A service-level objective.

use figures::Figure;
use serde::{Deserialize, Serialize};

use crate::samples::stats::Metrics;
use crate::units::Ms;

/// Limits that an answer must keep, all of them, and how many answers must.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slo {
    /// Short name, in addresses and exports.
    pub id: String,
    /// Name on the page.
    pub label: String,
    /// Where the figures come from, one sentence each.
    pub sources: Vec<String>,
    /// When they were looked up, `YYYY-MM-DD`.
    pub retrieved: String,
    /// Most time to the first token.
    pub ttft_ms: Option<Ms>,
    /// Most time per output token after the first.
    pub tpot_ms: Option<Ms>,
    /// Share of answers that must meet every limit, (0, 1).
    pub share: f64,
    /// Each figure with unit, range, source and date; empty for a visitor's own.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

impl Slo {
    /// A visitor's own limits.
    pub fn custom(ttft_ms: Option<Ms>, tpot_ms: Option<Ms>, share: f64) -> Self {
        Self {
            id: "custom".into(),
            label: "Your own".into(),
            sources: vec!["set by the visitor".into()],
            retrieved: String::new(),
            ttft_ms,
            tpot_ms,
            share,
            figures: Vec::new(),
        }
    }

    /// Whether an answer keeps every limit. One of a single token has no time per output token to exceed.
    pub fn met_by(&self, answer: &Metrics) -> bool {
        let within = |time: Option<Ms>, limit: Option<Ms>| match (time, limit) {
            (Some(time), Some(limit)) => time <= limit,
            _ => true,
        };
        within(Some(answer.ttft), self.ttft_ms) && within(answer.tpot, self.tpot_ms)
    }
}
