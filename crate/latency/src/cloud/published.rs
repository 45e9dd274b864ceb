//! End-to-end presets: times as somebody measured them from outside.
//!
//! They include that prober's network, so there is no round trip here to add, no connection to open and no
//! stage to show: a type of its own, from which no [`super::Trace`] with network stages can be made.
//!
//! ```compile_fail
//! use latency::{cloud::Cloud, presets};
//! let published = presets::published().remove(0);
//! Cloud::new(&published); // its round trip would be counted twice
//! ```

use std::ops::Range;

use figures::Figure;
use serde::{Deserialize, Serialize};

use super::preset::{Percentiles, PresetError, Rare, RareTime};
use super::tabulated::Tabulated;
use crate::lognormal::Lognormal;
use crate::random::Random;
use crate::samples::stats::Simulated;
use crate::units::Ms;

/// Published end-to-end times of a service, network included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Short name, in addresses and exports.
    pub id: String,
    /// Name on the page.
    pub label: String,
    /// Where the figures come from, one sentence each.
    pub sources: Vec<String>,
    /// When they were looked up, `YYYY-MM-DD`.
    pub retrieved: String,
    /// Time to the first token as the client saw it.
    pub first_token: Percentiles,
    /// Chance that the model has to be started first, and how long that takes.
    pub cold_start: Option<Rare>,
    /// Chance of a timeout or a retry, and how long it takes.
    pub outlier: Option<Rare>,
    /// Time between two tokens as the client saw it.
    pub inter_token: Percentiles,
    /// Each figure with unit, range, source and date; empty for a visitor's own numbers.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

impl Published {
    /// A visitor's own numbers: percentiles as pasted, or [`Percentiles::of`] a fit to their samples. `source`
    /// says which; `retrieved` is today, `YYYY-MM-DD`.
    pub fn yours(
        source: String,
        retrieved: String,
        first_token: Percentiles,
        inter_token: Percentiles,
    ) -> Self {
        Self {
            id: "yours".into(),
            label: "Your numbers".into(),
            sources: vec![source],
            retrieved,
            first_token,
            cold_start: None,
            outlier: None,
            inter_token,
            figures: Vec::new(),
        }
    }
}

/// Published times with their distributions fitted.
pub struct PublishedCloud<'a> {
    published: &'a Published,
    first_token: Lognormal,
    inter_token: Tabulated,
    cold_start: Option<RareTime>,
    outlier: Option<RareTime>,
}

impl<'a> PublishedCloud<'a> {
    /// Fits the distributions.
    ///
    /// # Errors
    /// A chance is none, or percentiles describe no distribution.
    pub fn new(published: &'a Published) -> Result<Self, PresetError> {
        Ok(Self {
            published,
            first_token: published.first_token.fit("first_token")?,
            inter_token: Tabulated::new(published.inter_token.fit("inter_token")?),
            cold_start: RareTime::new("cold_start", published.cold_start)?,
            outlier: RareTime::new("outlier", published.outlier)?,
        })
    }

    /// The origin that every sample drawn from it carries.
    pub fn origin(&self, seed: u64) -> Simulated {
        Simulated { preset: self.published.id.clone(), seed }
    }

    /// Arrivals of the tokens of run `run` of `seed`, in place of what `into` held.
    pub fn arrivals(&self, tokens: u32, seed: u64, run: u64, into: &mut Vec<Ms>) {
        let mut random = Random::new(seed, run);
        let rare = |time: &Option<RareTime>, random: &mut Random| {
            time.as_ref().map_or(0.0, |time| time.draw(random))
        };
        let mut arrived = rare(&self.cold_start, &mut random) + rare(&self.outlier, &mut random);
        arrived += self.first_token.draw(&mut random);
        into.clear();
        into.extend((0..tokens).map(|index| {
            if index > 0 {
                arrived += self.inter_token.draw(&mut random);
            }
            Ms(arrived)
        }));
    }

    /// Shows the arrivals of each of these runs to `visit`, in one buffer for all of them.
    pub fn each(&self, tokens: u32, seed: u64, runs: Range<u64>, mut visit: impl FnMut(u64, &[Ms])) {
        let mut arrivals = Vec::with_capacity(tokens as usize);
        for run in runs {
            self.arrivals(tokens, seed, run, &mut arrivals);
            visit(run, &arrivals);
        }
    }
}
