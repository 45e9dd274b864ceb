//! Cases to start from, and the defaults behind them.

use figures::{Figure, Kind};
use serde::{Deserialize, Serialize};

use super::file::{file, parse};
use crate::uncertainty::Shape;

/// One input with its range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assumption {
    /// Its value and where that comes from; the key is one of [`crate::FIELDS`]. Of a lognormal, low and high are its
    /// P10 and P90.
    #[serde(flatten)]
    pub figure: Figure,
    /// How likely the values between low and high are.
    pub shape: Shape,
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
    /// Kind of choice.
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

/// The default of every figure and choice that a preset does not name: all of [`crate::FIELDS`] and
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

    /// The preset's own assumption about an input; `None` where it leaves that to the defaults.
    pub fn assumption(&self, key: &str) -> Option<&Assumption> {
        self.assumptions.iter().find(|assumption| assumption.figure.key == key)
    }

    /// The preset's own selection for a choice; `None` where it leaves that to the defaults.
    pub fn choice(&self, key: &str) -> Option<&Selection> {
        self.choices.iter().find(|selection| selection.key == key)
    }
}
