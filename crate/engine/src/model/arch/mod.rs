//! Architectures: one file each, from a file's metadata to a [`Spec`]. A new one is a file here and a line in
//! [`ARCHITECTURES`]. Keys and tensors are those of llama.cpp (`src/llama-arch.cpp`), their meaning that of its
//! `src/llama-model.cpp` and `src/models`.

mod decoder;
mod gemma3;
mod granite;
mod header;
mod llama;
mod phi3;
mod qwen2;
mod qwen3;
mod smollm3;

use std::io;

use super::spec::Spec;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use header::{Header, Sizes};

/// Reads the files of one architecture.
type Read = fn(&Header, &Sizes) -> Result<Spec>;

/// `general.architecture`, and how such a file is read.
const ARCHITECTURES: &[(&str, Read)] = &[
    ("llama", llama::spec),
    ("qwen2", qwen2::spec),
    ("qwen3", qwen3::spec),
    ("gemma3", gemma3::spec),
    ("phi3", phi3::spec),
    ("smollm3", smollm3::spec),
    ("granite", granite::spec),
];

/// The spec that the file's metadata and tensors describe, made ready for `context` positions.
///
/// # Errors
/// As [`Plan::of`](super::Plan::of).
pub(super) fn spec<R: io::Read + io::Seek>(gguf: &Gguf<R>, context: usize) -> Result<Spec> {
    check_whole(gguf)?;
    let name = gguf.metadata().str("general.architecture")?;
    let Some((_, read)) = ARCHITECTURES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = ARCHITECTURES.iter().map(|(known, _)| *known).collect();
        let cause = format!("architecture {name}; supported are {}", known.join(", "));
        return Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
    };
    let header = Header::new(gguf, name, context);
    let sizes = header.sizes()?;
    let spec = read(&header, &sizes)?;
    header.check_every_key_is_read(&sizes)?;
    Ok(spec)
}

/// Refuses what is no model, or a part of one.
fn check_whole<R: io::Read + io::Seek>(gguf: &Gguf<R>) -> Result<()> {
    let unsupported = |cause| Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
    let metadata = gguf.metadata();
    if let Some(kind) = metadata.opt_str("general.type")?.filter(|kind| *kind != "model") {
        return unsupported(format!("general.type is {kind}; it is no language model by itself"));
    }
    let parts = metadata.opt_usize("split.count")?.unwrap_or(1);
    if parts > 1 {
        let part = metadata.opt_usize("split.no")?.unwrap_or(0) + 1;
        let missing = if part < parts { part + 1 } else { 1 };
        let name = part_name(gguf.file(), part, parts, missing);
        return unsupported(format!("split.count is {parts}: it is part {part}, and {name} is missing"));
    }
    Ok(())
}

/// Name of another part of a split file.
fn part_name(file: &str, part: usize, parts: usize, other: usize) -> String {
    let suffix = |part: usize| format!("-{part:05}-of-{parts:05}.gguf");
    match file.strip_suffix(&suffix(part)) {
        Some(stem) => format!("{stem}{}", suffix(other)),
        None => format!("part {other} of {parts}"),
    }
}
