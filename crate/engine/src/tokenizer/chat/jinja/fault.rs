//! Why a template could not be parsed or run.

/// Characters of the template's own words that an error repeats.
const QUOTED: usize = 80;

/// Why a template could not be parsed or run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(in super::super) enum Fault {
    /// It does something wrong, or something that is not supported.
    #[error("{cause} (line {line})")]
    Wrong {
        /// What.
        cause: String,
        /// Where, from 1; 0 while not known.
        line: u32,
    },
    /// It called `raise_exception` with this text.
    #[error("{0}")]
    Raised(String),
    /// It has used up its budget.
    #[error("it takes more work than reading or writing {0} bytes")]
    Exhausted(u64),
}

impl Fault {
    /// The same, at a line, if none is known yet.
    pub(super) fn at(self, place: u32) -> Self {
        match self {
            Self::Wrong { cause, line: 0 } => Self::Wrong { cause, line: place },
            other => other,
        }
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
