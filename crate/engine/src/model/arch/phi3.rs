//! `phi3`: queries, keys and values in one tensor, gate and up in one; factors of the rotation for short and for long
//! contexts; halves of a head's leading part rotate.

use super::decoder;
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Linear, Pairs, Rope, Rows, Spec};

/// Reads a `phi3` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let factors =
        if header.is_long(sizes)? { "rope_factors_long.weight" } else { "rope_factors_short.weight" };
    let rope = Rope { factors: header.optional(factors), ..header.rope(sizes, Pairs::Halves)? };
    let window = header.window()?.filter(|window| *window < sizes.context);
    let queries = sizes.heads * sizes.head_dim;
    let kv = sizes.kv_heads * sizes.head_dim;
    Ok(decoder::spec(header, sizes, |index| {
        let mut layer = decoder::layer(header, sizes, index, Some(rope.clone()));
        let part = |part: &str, rows| Rows::all(format!("blk.{index}.{part}.weight"), rows, sizes.width);
        let of = |whole: &Rows, rows| Linear { weight: whole.slice(rows), bias: None };
        let qkv = part("attn_qkv", queries + 2 * kv);
        layer.attention.query = of(&qkv, 0..queries);
        layer.attention.key = of(&qkv, queries..queries + kv);
        layer.attention.value = of(&qkv, queries + kv..queries + 2 * kv);
        layer.attention.window = window;
        let gate_up = part("ffn_up", 2 * sizes.ffn);
        layer.feed_forward.gate = of(&gate_up, 0..sizes.ffn);
        layer.feed_forward.up = of(&gate_up, sizes.ffn..2 * sizes.ffn);
        layer
    }))
}
