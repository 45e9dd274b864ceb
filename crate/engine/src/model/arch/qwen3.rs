//! `qwen3`: each head of queries and keys is normed; halves of a head rotate.

use super::decoder;
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Pairs, Spec};

/// Reads a `qwen3` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let rope = header.rope(sizes, Pairs::Halves)?;
    Ok(decoder::spec(header, sizes, |index| decoder::head_normed(header, sizes, index, rope.clone())))
}
