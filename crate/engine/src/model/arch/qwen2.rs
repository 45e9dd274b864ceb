//! `qwen2`: biases of queries, keys and values; halves of a head rotate.

use super::decoder;
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Linear, Pairs, Spec};

/// Reads a `qwen2` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let rope = header.rope(sizes, Pairs::Halves)?;
    Ok(decoder::spec(header, sizes, |index| {
        let mut layer = decoder::layer(header, sizes, index, Some(rope.clone()));
        // They belong to the model: a file without them lacks something.
        let bias = |linear: &mut Linear, part| linear.bias = Some(format!("blk.{index}.{part}.bias"));
        bias(&mut layer.attention.query, "attn_q");
        bias(&mut layer.attention.key, "attn_k");
        bias(&mut layer.attention.value, "attn_v");
        layer
    }))
}
