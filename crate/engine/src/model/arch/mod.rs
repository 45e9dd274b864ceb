//! Architectures: one file each, from a file's metadata to a [`Spec`]. A new one is a file here and a line in
//! [`ARCHITECTURES`].

mod header;
mod llama;

use std::io;

use super::spec::Spec;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use header::Header;

/// Reads the files of one architecture.
type Read = fn(&Header) -> Result<Spec>;

/// `general.architecture`, and how such a file is read.
const ARCHITECTURES: &[(&str, Read)] = &[("llama", llama::spec)];

/// The spec that the file's metadata and tensors describe.
///
/// # Errors
/// As [`Plan::of`](super::Plan::of).
pub(super) fn spec<R: io::Read + io::Seek>(gguf: &Gguf<R>, context: usize) -> Result<Spec> {
    let name = gguf.metadata().str("general.architecture")?;
    let Some((_, read)) = ARCHITECTURES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = ARCHITECTURES.iter().map(|(known, _)| *known).collect();
        let cause = format!("architecture {name}; supported is {}", known.join(", "));
        return Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
    };
    read(&Header::new(gguf, name, context))
}
