//! The `llama` family: Llama, SmolLM2, TinyLlama, Mistral. Llama 3 brings factors of its rotation.

use super::decoder;
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Pairs, Rope, Spec};

/// Reads a `llama` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let factors = header.optional("rope_freqs.weight");
    let rope = Rope { factors, ..header.rope(sizes, Pairs::Neighbours)? };
    Ok(decoder::spec(header, sizes, |index| decoder::layer(header, sizes, index, Some(rope.clone()))))
}
