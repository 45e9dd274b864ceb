//! Why a template could not be parsed or run.

use std::error::Error as _;

use minijinja::{Error, ErrorKind};

/// Characters of the template's own words that an error repeats.
const QUOTED: usize = 120;

/// Why a template could not be parsed or run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(in super::super) enum Fault {
    /// It does something wrong, or something that is not supported.
    #[error("{cause} (line {line})")]
    Wrong {
        /// What.
        cause: String,
        /// Where, from 1; 0 while not known.
        line: usize,
    },
    /// It called `raise_exception` with this text.
    #[error("{0}")]
    Raised(String),
    /// It has used up its budget.
    #[error("it takes more work than reading or writing {0} bytes")]
    Exhausted(u64),
}

impl Fault {
    /// What an error of minijinja's says: a fault of ours that went through it, or one of its own. `total` is the
    /// budget.
    pub(super) fn of(error: &Error, total: u64) -> Self {
        let line = error.line().unwrap_or_default();
        match error.source().and_then(|source| source.downcast_ref::<Self>()) {
            Some(Self::Wrong { cause, line: 0 }) => Self::Wrong { cause: cause.clone(), line },
            Some(fault) => fault.clone(),
            None if error.kind() == ErrorKind::OutOfFuel => Self::Exhausted(total),
            None => {
                let cause = error.detail().map_or_else(|| error.kind().to_string(), quoted);
                Self::Wrong { cause, line }
            }
        }
    }
}

impl Fault {
    /// The same, at a line, if none is known yet.
    pub(super) fn at(self, place: usize) -> Self {
        match self {
            Self::Wrong { cause, line: 0 } => Self::Wrong { cause, line: place },
            other => other,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::new(ErrorKind::InvalidOperation, fault.to_string()).with_source(fault)
    }
}

pub(super) type Result<T, E = Fault> = std::result::Result<T, E>;

/// Something is wrong, somewhere.
pub(super) fn wrong(cause: impl Into<String>) -> Fault {
    Fault::Wrong { cause: cause.into(), line: 0 }
}

/// The beginning of a template's own words, for a message.
pub(super) fn quoted(words: &str) -> String {
    words.chars().take(QUOTED).collect()
}
