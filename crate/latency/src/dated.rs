//! Default figures as dated data: what a figure is, how far it may be off, and who says so when.

use serde::{Deserialize, Serialize};

/// What stands behind a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Measured by this project.
    Measured,
    /// Published by somebody, named in the source.
    Cited,
    /// Our judgement; the source gives the reasoning.
    Assumed,
    /// The source article says so; nobody checked.
    SeedClaim,
}

/// One default figure of a preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Which figure: a path into the preset, such as `first_token.p50`.
    pub field: String,
    /// Its value.
    pub value: f64,
    /// Unit of value, low and high.
    pub unit: String,
    /// Least plausible value.
    pub low: f64,
    /// Greatest plausible value.
    pub high: f64,
    /// Where it comes from, in a sentence.
    pub source: String,
    /// When that was looked up, `YYYY-MM-DD`.
    pub retrieved: String,
    /// What stands behind it.
    pub kind: Kind,
}

/// Distinct sources of these figures, in order.
pub(crate) fn sources(figures: &[Figure]) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for figure in figures {
        if !sources.contains(&figure.source) {
            sources.push(figure.source.clone());
        }
    }
    sources
}

/// The latest date among them.
pub(crate) fn retrieved(figures: &[Figure]) -> String {
    figures.iter().map(|figure| figure.retrieved.clone()).max().unwrap_or_default()
}
