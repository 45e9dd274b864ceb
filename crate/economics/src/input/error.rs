//! Errors in inputs.

use thiserror::Error;

/// One input that cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum InputError {
    /// Not in its range, or not a number.
    #[error("{key} is {value}; it must be a number from {min} to {max} ({unit})")]
    OutOfRange {
        /// Which input.
        key: &'static str,
        /// The value given.
        value: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
        /// Its unit.
        unit: &'static str,
    },
    /// A fraction of something counted.
    #[error("{key} is {value}; it must be a whole number from {min} to {max} ({unit})")]
    NotWhole {
        /// Which input.
        key: &'static str,
        /// The value given.
        value: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
        /// Its unit.
        unit: &'static str,
    },
    /// No input has this key.
    #[error("{key} is not an input; known: {known}")]
    UnknownKey {
        /// The value given.
        key: String,
        /// Keys of the same section, or the sections.
        known: String,
    },
    /// Text, a list or a table where a number belongs.
    #[error("{key} is {value}; it must be a number from {min} to {max} ({unit})")]
    NotANumber {
        /// Which input.
        key: &'static str,
        /// The value given, as it was written.
        value: String,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
        /// Its unit.
        unit: &'static str,
    },
    /// Not one of the options of a choice.
    #[error("{key} is {value}; it must be one of {options}")]
    UnknownOption {
        /// Which choice.
        key: &'static str,
        /// The value given.
        value: String,
        /// Names of the options.
        options: String,
    },
    /// A range that is not one: its ends out of order, or out of what the input may be.
    #[error(
        "{key} ranges from {low} over {value} to {high}; these must rise, from {min} to {max} ({unit}){positive}"
    )]
    Spread {
        /// Which input.
        key: &'static str,
        /// Lower end.
        low: f64,
        /// Value within the range.
        value: f64,
        /// Upper end.
        high: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
        /// Its unit.
        unit: &'static str,
        /// The further demand of a lognormal; empty otherwise.
        positive: &'static str,
    },
    /// Two inputs that exclude each other, or one that the choices made leave without effect.
    #[error("{key} is given but has no effect here: {why}")]
    WithoutEffect {
        /// Which input.
        key: &'static str,
        /// The reason.
        why: String,
    },
}

impl InputError {
    /// Key of the input.
    pub fn key(&self) -> &str {
        match self {
            Self::UnknownKey { key, .. } => key,
            Self::OutOfRange { key, .. }
            | Self::NotWhole { key, .. }
            | Self::Spread { key, .. }
            | Self::NotANumber { key, .. }
            | Self::UnknownOption { key, .. }
            | Self::WithoutEffect { key, .. } => key,
        }
    }
}
