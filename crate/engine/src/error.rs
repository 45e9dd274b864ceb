//! The engine's one error type: named fields, operation first, a sentence a visitor can act on.

use thiserror::Error;

/// The failures between a GGUF file and a token.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading the model's bytes failed.
    #[error("{file}: reading {what} failed: {source}")]
    Io {
        /// File as the visitor knows it.
        file: String,
        /// The part that was being read.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The file is not GGUF, or is damaged.
    #[error("{file}: not a usable GGUF model: {cause}")]
    BadFile {
        /// File as the visitor knows it.
        file: String,
        /// The fault, with field and value.
        cause: String,
    },
    /// The file is sound but asks for something this engine does not have.
    #[error("{file}: not supported: {cause}")]
    Unsupported {
        /// File as the visitor knows it.
        file: String,
        /// The missing feature, and those that are supported.
        cause: String,
    },
    /// The prompt cannot be answered.
    #[error("prompt: {cause}")]
    BadPrompt {
        /// Why, and what to do.
        cause: String,
    },
    /// A setting is out of its range.
    #[error("{setting} is {value}; it must be {range}")]
    BadSetting {
        /// Name of the setting.
        setting: &'static str,
        /// Value given.
        value: String,
        /// The values that are allowed.
        range: &'static str,
    },
    /// There is no GPU to be had.
    #[error("no GPU: {cause}")]
    NoGpu {
        /// Why.
        cause: String,
    },
    /// A thread of the processor's backend has died.
    #[error(
        "computing: one of {threads} threads has stopped; load the model again, with fewer threads if it stops again"
    )]
    Threads {
        /// Threads in all.
        threads: usize,
    },
    /// It does not fit.
    #[error(
        "{file}: needs about {} MB of memory, and there are {} MB; choose a smaller model or a shorter context",
        .need.div_ceil(1_000_000),
        .limit / 1_000_000
    )]
    Memory {
        /// File as the visitor knows it.
        file: String,
        /// Bytes that it needs.
        need: u64,
        /// Bytes that there are.
        limit: u64,
    },
    /// The backend failed.
    #[error("{op}: {cause}")]
    Backend {
        /// The step.
        op: &'static str,
        /// The cause.
        cause: String,
    },
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
