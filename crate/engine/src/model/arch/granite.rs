//! `granite`: scales of the embedding, of what joins the residual stream, of attention's scores and of the logits.

use super::decoder;
use super::header::{Header, Sizes};
use crate::error::Result;
use crate::model::spec::{Pairs, Rope, Spec};

/// Reads a `granite` file.
pub(super) fn spec(header: &Header, sizes: &Sizes) -> Result<Spec> {
    let factors = header.optional("rope_freqs.weight");
    let rope = Rope { factors, ..header.rope(sizes, Pairs::Neighbours)? };
    // Here the key is a switch: the models without rotation say no.
    let rope = header.flag_or("rope.scaling.finetuned", true)?.then_some(rope);
    let residual_scale = header.factor("residual_scale")?;
    let score_scale = header.float_or("attention.scale", 0.0)?;
    let spec = decoder::spec(header, sizes, |index| {
        let mut layer = decoder::layer(header, sizes, index, rope.clone());
        layer.residual_scale = residual_scale;
        if score_scale != 0.0 {
            layer.attention.score_scale = score_scale;
        }
        layer
    });
    let embedding_scale = header.factor("embedding_scale")?;
    Ok(Spec { embedding_scale, logit_scale: 1.0 / header.positive_or("logit_scale", 1.0)?, ..spec })
}
