//! Defaults as dated data: every figure that was not entered or measured has a source and a date. The files are in
//! `presets/` beside `src/`.

mod defects;
mod ledger;

use serde::{Deserialize, Serialize};

use crate::uncertainty::Shape;

pub use defects::{ArticleDefect, Discrepancy, article_defects, seed_discrepancy};
pub use ledger::{ChoiceEntry, Entry, Ledger, SetBy};

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Measured by this project.
    Measured,
    /// Published by somebody, named in `source`.
    Cited,
    /// Somebody's judgement, named in `source`; without a name, ours.
    Assumed,
    /// The source article says so; nobody checked.
    SeedClaim,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// Which input it fills; see [`crate::FIELDS`].
    pub key: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Lowest value worth considering; `source` says whose judgement that is. Of a lognormal, its P10.
    pub low: f64,
    /// Highest value worth considering. Of a lognormal, its P90.
    pub high: f64,
    /// How likely the values between are.
    pub shape: Shape,
    /// Who says so, and why.
    pub source: String,
    /// When it was looked up or judged: `YYYY-MM-DD`, or `YYYY-MM` where only the month is known.
    pub retrieved: String,
    /// What kind of figure it is.
    pub kind: Kind,
}

/// One choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Which choice; see [`crate::CHOICES`].
    pub key: String,
    /// Name of the chosen option.
    pub option: String,
    /// Who says so, and why.
    pub source: String,
    /// When: `YYYY-MM-DD`.
    pub retrieved: String,
    /// What kind of choice it is.
    pub kind: Kind,
}

/// A case to start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Name in files and addresses.
    pub id: String,
    /// Name on the page.
    pub name: String,
    /// The case in one sentence.
    pub story: String,
    /// Choices that differ from the defaults, or that the case is about.
    pub choices: Vec<Selection>,
    /// Figures that differ from the defaults, or that the case is about.
    pub assumptions: Vec<Assumption>,
}

macro_rules! file {
    ($name:literal) => {
        parse($name, include_str!(concat!("../../presets/", $name)))
    };
}
pub(crate) use file;

/// A file of ours; one that cannot be read is our own bug, and tests read them all.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("presets/{name}: {error}"))
}

/// What is taken for every figure and choice that a preset does not name: all of [`crate::FIELDS`] and
/// [`crate::CHOICES`], in their order.
pub fn defaults() -> Preset {
    file!("defaults.json")
}

/// Every case to start from, the article's example first.
pub fn presets() -> Vec<Preset> {
    vec![
        file!("seed-example.json"),
        file!("small-model-api.json"),
        file!("frontier-api.json"),
        file!("hospital.json"),
        file!("retail-fleet.json"),
        file!("browser-saas.json"),
    ]
}

impl Preset {
    /// The case of this name.
    pub fn of(id: &str) -> Option<Self> {
        presets().into_iter().find(|preset| preset.id == id)
    }

    /// What the preset itself says about an input; `None` where it leaves that to the defaults.
    pub fn assumption(&self, key: &str) -> Option<&Assumption> {
        self.assumptions.iter().find(|assumption| assumption.key == key)
    }

    /// What the preset itself says about a choice; `None` where it leaves that to the defaults.
    pub fn choice(&self, key: &str) -> Option<&Selection> {
        self.choices.iter().find(|selection| selection.key == key)
    }

    /// The case as inputs, with the defaults for what it does not name.
    pub fn scenario(&self) -> crate::Scenario {
        Ledger::new(self).scenario()
    }
}
