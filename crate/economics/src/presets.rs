//! Defaults as dated data: every figure that was not entered or measured has a source and a date.

use serde::{Deserialize, Serialize};

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Measured by this project.
    Measured,
    /// Published by somebody, named in `source`.
    Cited,
    /// Our judgement.
    Assumed,
    /// The source article says so; nobody checked.
    SeedClaim,
}

/// One default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumption {
    /// Which input it fills; see [`crate::FIELDS`].
    pub key: String,
    /// The default.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Lowest value worth considering; `source` says whose judgement that is.
    pub low: f64,
    /// Highest value worth considering; `source` says whose judgement that is.
    pub high: f64,
    /// Who says so.
    pub source: String,
    /// When it was looked up, `YYYY-MM-DD`.
    pub retrieved: String,
    /// What kind of figure it is.
    pub kind: Kind,
}

/// The article's worked example, input by input.
pub fn seed_assumptions() -> Vec<Assumption> {
    let text = include_str!("../presets/seed-example.json");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("presets/seed-example.json: {error}"))
}

/// Where the article's text and its own formula disagree.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Discrepancy {
    /// What is disputed.
    pub what: &'static str,
    /// What the article says, as a share.
    pub article: f64,
    /// What its formula gives, as a share.
    pub formula: f64,
    /// What it means.
    pub note: &'static str,
}

/// The article's saving at five million requests a month.
pub fn seed_discrepancy() -> Discrepancy {
    Discrepancy {
        what: "saving at 5,000,000 requests a month",
        article: 0.72,
        formula: (135_000.0 - 34_400.0) / 135_000.0,
        note: "The article says 72 %; its own formula gives 74.5 %. It would take edge costs of $38,000 to get \
               72 %, and the article, which says $35,000 to $38,000 there, does not say what the extra $600 to \
               $3,600 buy. It also keeps the hardware the same at 2.5 times the load, without a capacity check.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FIELDS, Scenario};

    #[test]
    fn the_ledger_covers_every_input_and_agrees_with_the_example() {
        let ledger = seed_assumptions();
        let seed = Scenario::seed_example();
        assert_eq!(ledger.len(), FIELDS.len());
        for field in &FIELDS {
            let entry = ledger.iter().find(|a| a.key == field.key).expect(field.key);
            assert_eq!(entry.value, (field.get)(&seed), "{}", field.key);
            assert_eq!(entry.unit, field.unit, "{}", field.key);
            assert!(entry.low <= entry.value && entry.value <= entry.high, "{}", field.key);
            assert!(field.min <= entry.low && entry.high <= field.max, "{}", field.key);
        }
    }
}
