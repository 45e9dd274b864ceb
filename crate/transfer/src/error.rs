//! Every way a transfer can fail, a sentence each that says what to do.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A transfer's failure.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address does not end in a model's file name.
    #[error("{url}: does not end in the name of a .gguf file; give the address of the file itself")]
    Name {
        /// The address.
        url: String,
    },
    /// Anybody between here and the server could change the file.
    #[error("{url}: is not encrypted; give an address that begins with https://")]
    NotEncrypted {
        /// The address.
        url: String,
    },
    /// The server answered, and not with the file.
    #[error("{url}: the server answered {status}; check the address, or whether it asks for a login")]
    Status {
        /// The address.
        url: String,
        /// Number and name of the status.
        status: String,
    },
    /// There was no answer.
    #[error("{url}: the server could not be reached: {cause}; check the address and the network")]
    Unreachable {
        /// The address.
        url: String,
        /// The cause.
        cause: String,
    },
    /// The connection broke before the whole file was here.
    #[error(
        "{url}: the connection broke after {done} bytes{}: {cause}; run the same command again to go on from there",
        .total.map_or(String::new(), |total| format!(" of {total}"))
    )]
    Truncated {
        /// The address.
        url: String,
        /// Bytes that are here.
        done: u64,
        /// Bytes of the whole file, where the server said.
        total: Option<u64>,
        /// The cause.
        cause: String,
    },
    /// The file is longer or shorter than it should be.
    #[error("{url}: has {got} bytes and should have {want}; nothing of it was kept")]
    Size {
        /// The address.
        url: String,
        /// Bytes expected.
        want: u64,
        /// Bytes offered.
        got: u64,
    },
    /// The bytes are not those expected.
    #[error("{url}: has the SHA-256 {got} and should have {want}; nothing of it was kept")]
    Hash {
        /// The address.
        url: String,
        /// Hash expected.
        want: String,
        /// Hash of what came.
        got: String,
    },
    /// Another program brings the same file.
    #[error("{}: another program is writing it; wait until it is done", .path.display())]
    Busy {
        /// The unfinished file.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("{}: could not be {what}", .path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// As in "could not be read".
        what: &'static str,
        /// The cause.
        source: io::Error,
    },
}

/// A transfer's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
