//! One line of a bill.

use serde::Serialize;

use super::flow::Flow;

/// Who pays a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payer {
    /// Whoever runs the service: part of the total.
    Operator,
    /// The users, for electricity: shown, not part of the operator's total, and not free.
    Users,
}

/// One line of a bill.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Its name.
    pub label: &'static str,
    /// How much and when.
    pub flow: Flow,
    /// Keys of the inputs it comes from.
    pub inputs: Keys,
    /// Who pays it.
    pub payer: Payer,
}

/// Keys of inputs, in parts so that they can be put together without allocating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keys(pub [&'static [&'static str]; 3]);

impl Keys {
    /// Every key.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.into_iter().flatten().copied()
    }
}

impl Serialize for Keys {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}
