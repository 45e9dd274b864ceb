//! Why an export is refused.

use thiserror::Error;

/// Version of the layout; another one is refused.
pub const SCHEMA: &str = "nibble-latency/1";
/// Most text that is read, bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// Why an export cannot be read or written.
#[derive(Debug, PartialEq, Error)]
pub enum ExportError {
    /// More than is read.
    #[error("the export has {bytes} bytes; at most {MOST_BYTES} are read")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// Another layout, or no export.
    #[error("the schema is \"{found}\"; this version reads \"{SCHEMA}\"")]
    Schema {
        /// The schema named there, cut to 40 characters.
        found: String,
    },
    /// Not of its format.
    #[error("line {line}: {cause}")]
    Format {
        /// Where, from 1; 0 where the reader cannot tell.
        line: u64,
        /// The message of the format's reader.
        cause: String,
    },
    /// Values out of their ranges, all of them up to a limit.
    #[error("{}", list(.0))]
    Values(Vec<Problem>),
}

/// A value out of its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where it stands, such as `runs[3].arrivals_ms[7]`.
    pub key: String,
    /// The value there.
    pub value: String,
    /// The range allowed.
    pub allowed: String,
}

fn list(problems: &[Problem]) -> String {
    let one = |Problem { key, value, allowed }: &Problem| format!("{key} is {value}; it must be {allowed}");
    problems.iter().map(one).collect::<Vec<_>>().join(". ")
}

/// # Errors
/// The schema is another than [`SCHEMA`].
pub(super) fn schema(found: &str) -> Result<(), ExportError> {
    if found == SCHEMA {
        return Ok(());
    }
    Err(ExportError::Schema { found: found.chars().take(40).collect() })
}
