//! Sizes as people read them.

use std::io::Write;

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

/// Bytes that `data` takes when a host compresses it with gzip.
pub(crate) fn gzip(data: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(data)?;
    Ok(encoder.finish()?.len())
}

/// `1234567` as `1.2 MB`; decimal units, as browsers show them.
pub(crate) fn human(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
