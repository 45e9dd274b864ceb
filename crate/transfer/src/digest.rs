//! SHA-256 of a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Size in bytes and SHA-256 in lower-case hex of a file.
///
/// # Errors
/// It cannot be read.
pub fn sha256(path: &Path) -> Result<(u64, String)> {
    let unread = |source| Error::Disk { path: path.to_owned(), what: "read", source };
    let mut file = File::open(path).map_err(unread)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer).map_err(unread)? {
            0 => break,
            count => {
                hasher.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
    Ok((bytes, hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}
