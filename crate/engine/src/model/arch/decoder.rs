//! The decoder that nearly all architectures are: pre-norm, grouped-query attention with rotary positions, a gated
//! feed-forward network. An architecture starts from it and changes what it does otherwise.

use super::header::{Header, Sizes};
use crate::model::spec::{Activation, Attention, FeedForward, Layer, Linear, Norm, Rope, Rows, Spec};

/// RMS norm by this tensor.
pub(super) fn norm(sizes: &Sizes, tensor: String) -> Norm {
    Norm { tensor, eps: sizes.norm_eps }
}

/// Layer `index`; queries, keys and values have biases where the file has them.
pub(super) fn layer(header: &Header, sizes: &Sizes, index: usize, rope: Option<Rope>) -> Layer {
    let queries = sizes.heads * sizes.head_dim;
    let kv = sizes.kv_heads * sizes.head_dim;
    let name = |part: &str| format!("blk.{index}.{part}.weight");
    let linear = |part: &str, rows, cols| Linear { weight: Rows::all(name(part), rows, cols), bias: None };
    let biased = |part: &str, rows| Linear {
        bias: header.optional(&format!("blk.{index}.{part}.bias")),
        ..linear(part, rows, sizes.width)
    };
    Layer {
        attention: Attention {
            norm: norm(sizes, name("attn_norm")),
            query: biased("attn_q", queries),
            key: biased("attn_k", kv),
            value: biased("attn_v", kv),
            head_norms: None,
            rope,
            score_scale: 1.0 / (sizes.head_dim as f32).sqrt(),
            window: None,
            output: linear("attn_output", sizes.width, queries),
            post_norm: None,
        },
        feed_forward: FeedForward {
            norm: norm(sizes, name("ffn_norm")),
            gate: linear("ffn_gate", sizes.ffn, sizes.width),
            up: linear("ffn_up", sizes.ffn, sizes.width),
            activation: Activation::Silu,
            down: linear("ffn_down", sizes.width, sizes.ffn),
            post_norm: None,
        },
        residual_scale: 1.0,
    }
}

/// As [`layer`], with norms of each head of the queries and keys.
pub(super) fn head_normed(header: &Header, sizes: &Sizes, index: usize, rope: Rope) -> Layer {
    let mut layer = layer(header, sizes, index, Some(rope));
    let of = |part: &str| norm(sizes, format!("blk.{index}.{part}.weight"));
    layer.attention.head_norms = Some((of("attn_q_norm"), of("attn_k_norm")));
    layer
}

/// The whole model of these layers; the head is the embedding's where the file has none.
pub(super) fn spec(header: &Header, sizes: &Sizes, layer: impl FnMut(usize) -> Layer) -> Spec {
    let table = |tensor: String| Rows::all(tensor, sizes.vocabulary, sizes.width);
    let embedding = "token_embd.weight".to_owned();
    Spec {
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
        norm: norm(sizes, "output_norm.weight".to_owned()),
        head: table(header.optional("output.weight").unwrap_or(embedding)),
        logit_scale: 1.0,
    }
}
