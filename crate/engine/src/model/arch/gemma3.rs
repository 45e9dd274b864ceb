//! `gemma3`: a scaled embedding, norms of heads and of what joins the residual stream, GeGLU; most layers look back a
//! window and rotate by a base of their own. Norm weights already hold the 1 + of the papers.

use super::decoder::{self, norm};
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Activation, Pairs, Rope, Scaling, Spec};

/// Layers of the 27B model, whose scores are scaled by the width over the heads; no key says so.
const LAYERS_OF_27B: usize = 62;

/// Reads a `gemma3` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let global = header.rope(sizes, Pairs::Halves)?;
    if matches!(global.scaling, Scaling::Yarn { .. }) {
        return Err(header.unsupported("gemma3.rope.scaling.type is yarn, which no gemma3 is known with"));
    }
    let local_base = header.positive_or("rope.freq_base_swa", 10_000.0)?;
    let local = Rope { base: local_base, scaling: Scaling::Linear(1.0), ..global.clone() };
    let window = header.window()?;
    // The last of so many layers is global.
    let pattern = header.size_or("attention.sliding_window_pattern", 6, 1024)?;
    let scaled_by = if sizes.layers == LAYERS_OF_27B { sizes.width / sizes.heads } else { sizes.head_dim };
    let spec = decoder::spec(header, sizes, |index| {
        let window = window.filter(|_| index % pattern < pattern - 1);
        let rope = if window.is_some() { &local } else { &global };
        let mut layer = decoder::head_normed(header, sizes, index, rope.clone());
        let post = |part| Some(norm(sizes, format!("blk.{index}.{part}.weight")));
        layer.attention.window = window;
        layer.attention.score_scale = 1.0 / (scaled_by as f32).sqrt();
        layer.attention.post_norm = post("post_attention_norm");
        layer.feed_forward.activation = Activation::GeluTanh;
        layer.feed_forward.post_norm = post("post_ffw_norm");
        layer
    });
    Ok(Spec { embedding_scale: (sizes.width as f32).sqrt(), ..spec })
}
