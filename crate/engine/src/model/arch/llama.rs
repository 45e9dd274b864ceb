//! The `llama` family: pre-norm, grouped-query attention with rotary positions, SwiGLU.

use super::header::Header;
use crate::error::Result;
use crate::model::spec::{
    Activation, Attention, FeedForward, Layer, Linear, Norm, Pairs, Rope, Rows, Scaling, Spec,
};

/// Reads a `llama` file.
pub(super) fn spec(header: &Header) -> Result<Spec> {
    let sizes = header.sizes()?;
    let queries = sizes.heads * sizes.head_dim;
    let kv = sizes.kv_heads * sizes.head_dim;
    let norm = |tensor: String| Norm { tensor, eps: sizes.norm_eps };
    let rope = Rope {
        pairs: Pairs::Neighbours,
        base: header.float_or("rope.freq_base", 10_000.0)?,
        dims: sizes.rope_dims,
        scaling: Scaling::Linear(1.0),
        magnitude: 1.0,
        factors: optional(header, "rope_freqs.weight"),
    };
    let layer = |index: usize| {
        let name = |part: &str| format!("blk.{index}.{part}.weight");
        let linear = |part, rows, cols| Linear { weight: Rows::all(name(part), rows, cols), bias: None };
        Layer {
            attention: Attention {
                norm: norm(name("attn_norm")),
                query: linear("attn_q", queries, sizes.width),
                key: linear("attn_k", kv, sizes.width),
                value: linear("attn_v", kv, sizes.width),
                head_norms: None,
                rope: Some(rope.clone()),
                score_scale: 1.0 / (sizes.head_dim as f32).sqrt(),
                window: None,
                output: linear("attn_output", sizes.width, queries),
                post_norm: None,
            },
            feed_forward: FeedForward {
                norm: norm(name("ffn_norm")),
                gate: linear("ffn_gate", sizes.ffn, sizes.width),
                up: linear("ffn_up", sizes.ffn, sizes.width),
                activation: Activation::Silu,
                down: linear("ffn_down", sizes.width, sizes.ffn),
                post_norm: None,
            },
            residual_scale: 1.0,
        }
    };
    let table = |tensor: String| Rows::all(tensor, sizes.vocabulary, sizes.width);
    let embedding = "token_embd.weight".to_owned();
    Ok(Spec {
        architecture: header.architecture.to_owned(),
        width: sizes.width,
        heads: sizes.heads,
        kv_heads: sizes.kv_heads,
        head_dim: sizes.head_dim,
        ffn: sizes.ffn,
        vocabulary: sizes.vocabulary,
        context: sizes.context,
        embedding: table(embedding.clone()),
        embedding_scale: 1.0,
        layers: (0..sizes.layers).map(layer).collect(),
        norm: norm("output_norm.weight".to_owned()),
        head: table(optional(header, "output.weight").unwrap_or(embedding)),
        logit_scale: 1.0,
    })
}

/// The tensor's name, where the file has it.
fn optional(header: &Header, tensor: &str) -> Option<String> {
    header.has_tensor(tensor).then(|| tensor.to_owned())
}
