//! Figures as dated data: what a figure is, how far it may be off, and who says so when.

use serde::{Deserialize, Serialize};

/// The grounds of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Measured by this project.
    Measured,
    /// Published by somebody, named in the source.
    Cited,
    /// Somebody's judgement, named in the source, which gives the reasoning; without a name, ours.
    Assumed,
    /// The source article says so; nobody checked.
    SeedClaim,
}

/// One figure that was neither entered nor measured here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Which one: the key of an input, or a path into a preset such as `first_token.p50`.
    pub key: String,
    /// Its value.
    pub value: f64,
    /// Unit of value, low and high.
    pub unit: String,
    /// Least plausible value; the source says whose judgement that is.
    pub low: f64,
    /// Greatest plausible value.
    pub high: f64,
    /// Who says so, and why.
    pub source: String,
    /// When it was looked up or judged: `YYYY-MM-DD`, or `YYYY-MM` where only the month is known.
    pub retrieved: String,
    /// Its grounds.
    pub kind: Kind,
}
