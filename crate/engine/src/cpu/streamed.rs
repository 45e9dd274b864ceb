//! A forward pass over weights that are never held: one layer, then one slice of the head, at a time. Its numbers
//! are those of [`super::Cpu`] to the bit, so that a GPU can be held against them where the processor's own copy
//! of the weights would not fit.

use std::io::{Read, Seek};
use std::ops::Range;

use super::MAX_BATCH;
use super::products::Processor;
use super::stages::Stages;
use super::weights::{EMBEDDING, Layer, NORM, head_name};
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::{Config, rope_factors};
use crate::quant::{Matrix, read_vector};

/// Rows of the head computed at a time: 0.4 MB of the default model. Whole groups of eight, as kernels take them;
/// few enough in unit tests that a tiny vocabulary has several, and a rest.
pub const SLICE: usize = if cfg!(test) { 64 } else { 1024 };

/// Reads `tokens`, 1 to [`MAX_BATCH`] of them, as one batch at position 0, and hands every token's logits to
/// `sink`, a slice of the vocabulary after the other: (its rows, logits (tokens, rows)). `each` is told how many
/// layers and slices are done, of how many. Held at any time are one layer or slice, and these tokens' activations.
///
/// # Errors
/// No tokens, too many, or one outside the vocabulary; a tensor is missing, of the wrong shape or type, or cannot
/// be read.
pub fn forward<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    config: &Config,
    tokens: &[u32],
    processor: &Processor,
    each: &mut dyn FnMut(usize, usize),
    sink: &mut dyn FnMut(Range<usize>, &[f32]),
) -> Result<()> {
    if tokens.is_empty() || tokens.len() > MAX_BATCH {
        let (setting, value) = ("number of tokens", tokens.len().to_string());
        return Err(Error::BadSetting { setting, value, range: "1 to 32" });
    }
    let embeddings = lookup(gguf, config, tokens)?;
    let factors = rope_factors(gguf, config, &mut |_| {})?;
    // No layer looks at another's keys and values: all take the one place.
    let mut stages = Stages::new(config, processor, tokens.len(), (1, tokens.len()), factors.as_deref());
    stages.embed(0, tokens.len(), |i, row| {
        row.copy_from_slice(&embeddings[i * config.width..][..config.width])
    });
    let slices = config.vocabulary.div_ceil(SLICE);
    let total = config.layers + slices;
    for index in 0..config.layers {
        let layer = Layer::read(gguf, config, index, &mut |_| {})?;
        stages.layer(&layer, 0);
        each(index + 1, total);
    }
    let norm = read_vector(gguf, NORM, config.width, &mut |_| {})?;
    stages.norm(&norm, 0..tokens.len());
    let mut logits = vec![0.0; tokens.len() * SLICE];
    for slice in 0..slices {
        let rows = slice * SLICE..config.vocabulary.min((slice + 1) * SLICE);
        let head = read_head(gguf, config, rows.clone())?;
        let logits = &mut logits[..tokens.len() * rows.len()];
        stages.head(&head, tokens.len(), logits);
        sink(rows, logits);
        each(config.layers + slice + 1, total);
    }
    Ok(())
}

/// Embeddings of `tokens`, (tokens, width), read by themselves.
pub(super) fn lookup<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    config: &Config,
    tokens: &[u32],
) -> Result<Vec<f32>> {
    let mut out = vec![0.0; tokens.len() * config.width];
    for (token, out) in tokens.iter().zip(out.chunks_exact_mut(config.width)) {
        let row = *token as usize;
        if row >= config.vocabulary {
            let cause = format!("token {token} is outside the vocabulary of {}", config.vocabulary);
            return Err(Error::BadPrompt { cause });
        }
        let table = (config.vocabulary, config.width);
        Matrix::read_rows(gguf, EMBEDDING, table, row..row + 1, &mut |_| {})?.dequantize_row(0, out);
    }
    Ok(out)
}

/// These rows of the head.
pub(super) fn read_head<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    config: &Config,
    rows: Range<usize>,
) -> Result<Matrix> {
    let name = head_name(gguf);
    Matrix::read_rows(gguf, name, (config.vocabulary, config.width), rows, &mut |_| {})
}

#[cfg(test)]
#[path = "streamed_tests.rs"]
mod tests;
