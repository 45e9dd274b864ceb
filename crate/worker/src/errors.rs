//! The worker's one error type, and the single place where it becomes a protocol failure.

use engine::Error as EngineError;
use protocol::{Failure, FailureKind, Operation};
use thiserror::Error;

/// Failures of the worker. Every text is a sentence a visitor can act on.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error("the message could not be understood: {cause}; reload the page")]
    Message { cause: String },
    #[error("{file}: cannot be fetched: {cause}")]
    Refused { file: String, cause: String },
    #[error(
        "{file}: the server answered {status} for {url}; put the file there (cargo xtask model fetch) or choose a model file from this device"
    )]
    Status { file: String, url: String, status: String },
    #[error(
        "{file}: the server could not be reached at {url}: {cause}; check that it runs, or choose a model file from this device"
    )]
    Unreachable { file: String, url: String, cause: String },
    #[error(
        "{file}: the connection broke after {done} of {total} bytes: {cause}; load it again to go on from there"
    )]
    Interrupted { file: String, done: u64, total: u64, cause: String },
    #[error(
        "{file}: refused, these are not the bytes of the catalogue: expected {want_bytes} bytes with SHA-256 {want}, got {got_bytes} bytes with SHA-256 {got}; nothing of it was kept, so load it again once the server has the right file"
    )]
    Altered { file: String, want: String, want_bytes: u64, got: String, got_bytes: u64 },
    #[error(
        "{file}: this browser's storage refused {op}: {cause}; free some space or forget the stored models, then load it again"
    )]
    Storage { file: String, op: &'static str, cause: String },
    #[error("this browser's storage refused {op}: {cause}; close other tabs of this page and try again")]
    Forget { op: String, cause: String },
    #[error(
        "this browser's storage refused {op}: it is in use; close other tabs of this page, or load another model here, and try again"
    )]
    InUse { op: String },
    #[error("{id}: is not stored in this browser; another tab may have removed it")]
    NotStored { id: String },
    #[error(
        "{id}: nothing is known of this stored file, so that it cannot be checked; load it from the catalogue, or delete it"
    )]
    Unrecorded { id: String },
    #[error(
        "{file}: its copy in this browser is not what was kept; delete it there and choose the file again"
    )]
    Damaged { file: String },
    #[error("another operation is running; stop it or wait for it to end")]
    Busy,
    #[error("stopped before it was done")]
    Aborted,
    #[error(
        "a measurement of {prefill} prompt and {decode} further tokens is not possible with a context of {context}; ask for fewer, at least 1 and 2"
    )]
    Unmeasurable { prefill: u32, decode: u32, context: usize },
    #[error("this measurement is not possible: {cause}; reload the page")]
    Measure { cause: String },
    #[error("the measurement was given up: {cause}")]
    Moved { cause: String },
    #[error("no model is loaded; load one first")]
    NoModel,
    #[error("the page asked to load {file} but sent no file with the message; choose the file again")]
    NoFile { file: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// The worker's result.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Which kind the page is told, so that it can choose what to offer.
    pub(crate) fn kind(&self) -> FailureKind {
        match self {
            Self::Message { .. } | Self::Measure { .. } => FailureKind::Internal,
            Self::Refused { .. }
            | Self::Status { .. }
            | Self::Unreachable { .. }
            | Self::Interrupted { .. } => FailureKind::Network,
            Self::Altered { .. } | Self::Damaged { .. } => FailureKind::Altered,
            Self::Storage { .. }
            | Self::Forget { .. }
            | Self::InUse { .. }
            | Self::NotStored { .. }
            | Self::Unrecorded { .. } => FailureKind::Storage,
            Self::Unmeasurable { .. } => FailureKind::BadPrompt,
            Self::Moved { .. } => FailureKind::Backend,
            Self::Busy => FailureKind::Busy,
            Self::Aborted => FailureKind::Aborted,
            Self::NoModel | Self::NoFile { .. } => FailureKind::BadModel,
            Self::Engine(error) => engine_kind(error),
        }
    }

    /// The error as the page receives it.
    pub(crate) fn failure(&self, operation: Operation, id: Option<u32>) -> Failure {
        Failure { operation, id, kind: self.kind(), message: self.to_string() }
    }
}

fn engine_kind(error: &EngineError) -> FailureKind {
    match error {
        EngineError::Io { .. } => FailureKind::Storage,
        EngineError::Memory { .. } => FailureKind::Memory,
        EngineError::BadFile { .. } | EngineError::Unsupported { .. } => FailureKind::BadModel,
        EngineError::BadPrompt { .. } | EngineError::BadSetting { .. } => FailureKind::BadPrompt,
        EngineError::NoGpu { .. } | EngineError::Backend { .. } => FailureKind::Backend,
        // The engine's list may grow; what we do not know is a defect until it is given a kind here.
        _ => FailureKind::Internal,
    }
}
