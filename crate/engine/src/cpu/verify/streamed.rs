//! A forward pass over weights that are never held: one step of the plan, then one slice of the head, at a time. Its
//! numbers are those of [`Cpu`](crate::cpu::Cpu) to the bit, so that a GPU can be validated against them where the
//! processor's own copy of the weights would not fit.

use std::io::{Read, Seek};
use std::ops::Range;
use std::sync::Arc;

use crate::cpu::executor::{Executor, MAX_BATCH};
use crate::cpu::products::Processor;
use crate::cpu::weights::OpWeights;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::weights::load_ropes;
use crate::model::{Op, Plan, Precision};

/// Rows of the head computed at a time: 0.4 MB of the default model. Whole groups of eight, as kernels take them;
/// few enough in unit tests that a tiny vocabulary has several, and a rest.
pub const SLICE: usize = if cfg!(test) { 64 } else { 1024 };

/// Reads `tokens`, 1 to [`MAX_BATCH`] of them, as one batch at position 0, and hands every token's logits to
/// `sink`, a slice of the vocabulary after the other: (its rows, logits (tokens, rows)). `each` gets how many
/// steps and slices are done, of how many. Held at any time are the weights of one, and these tokens' activations.
///
/// # Errors
/// No tokens, too many, or one outside the vocabulary; a tensor is missing, of the wrong shape or type, or cannot
/// be read.
pub fn forward<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Arc<Plan>,
    tokens: &[u32],
    processor: &Processor,
    each: &mut dyn FnMut(usize, usize),
    sink: &mut dyn FnMut(Range<usize>, &[f32]),
) -> Result<()> {
    if tokens.is_empty() || tokens.len() > MAX_BATCH {
        let value = tokens.len().to_string();
        return Err(Error::BadSetting { setting: "number of tokens", value, range: "1 to 32" });
    }
    let vocabulary = plan.spec.vocabulary;
    let slices = vocabulary.div_ceil(SLICE);
    let total = plan.head() + slices;
    // No layer looks at another's keys and values: all take the one place.
    let mut executor = executor(gguf, plan, processor, tokens.len(), (1, tokens.len()))?;
    embed(gguf, &mut executor, tokens, 0)?;
    each(1, total);
    for index in 1..plan.head() {
        let op = &plan.ops()[index];
        executor.run(op, &OpWeights::read(gguf, op, &mut |_| {})?);
        each(index + 1, total);
    }
    let mut logits = vec![0.0; tokens.len() * SLICE];
    for slice in 0..slices {
        let rows = slice * SLICE..vocabulary.min((slice + 1) * SLICE);
        let logits = &mut logits[..tokens.len() * rows.len()];
        let (op, weights) = read_head(gguf, plan, rows.clone())?;
        executor.head(&op, &weights.vectors[0], &weights.matrices[0], 0..tokens.len(), logits);
        sink(rows, logits);
        each(plan.head() + slice + 1, total);
    }
    Ok(())
}

/// An executor for batches of up to `tokens` and a cache of (layers, positions).
pub(super) fn executor<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Arc<Plan>,
    processor: &Processor,
    tokens: usize,
    cache: (usize, usize),
) -> Result<Executor> {
    let rotations = load_ropes(gguf, plan, &mut |_| {})?;
    Ok(Executor::new(plan, processor, tokens, cache, rotations))
}

/// Begins a batch of `tokens` at `position`; of the embedding, their rows alone are read.
pub(super) fn embed<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    executor: &mut Executor,
    tokens: &[u32],
    position: usize,
) -> Result<()> {
    let embeddings = lookup(gguf, &executor.plan, tokens)?;
    let width = executor.plan.spec.width;
    let precisions = tokens.iter().map(|_| Precision::Fourteen);
    executor.embed(position, precisions, |i, row| row.copy_from_slice(&embeddings[i * width..][..width]));
    Ok(())
}

/// Embeddings of `tokens`, (tokens, width), read by themselves.
pub(super) fn lookup<R: Read + Seek>(gguf: &mut Gguf<R>, plan: &Plan, tokens: &[u32]) -> Result<Vec<f32>> {
    let spec = &plan.spec;
    let mut out = vec![0.0; tokens.len() * spec.width];
    for (token, out) in tokens.iter().zip(out.chunks_exact_mut(spec.width)) {
        let row = *token as usize;
        if row >= spec.vocabulary {
            let cause = format!("token {token} is outside the vocabulary of {}", spec.vocabulary);
            return Err(Error::BadPrompt { cause });
        }
        let table = OpWeights::read(gguf, &plan.ops()[0].slice(row..row + 1), &mut |_| {})?;
        table.matrices[0].dequantize_row(0, out);
    }
    Ok(out)
}

/// The head for these rows of the vocabulary alone.
pub(super) fn read_head<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Plan,
    rows: Range<usize>,
) -> Result<(Op, OpWeights)> {
    let op = plan.ops()[plan.head()].slice(rows);
    let weights = OpWeights::read(gguf, &op, &mut |_| {})?;
    Ok((op, weights))
}

#[cfg(test)]
#[path = "streamed_tests.rs"]
mod tests;
