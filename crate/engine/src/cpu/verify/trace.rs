//! The activations that every kind of step leaves: another backend's kernels are validated against them.

use std::io::{Read, Seek};
use std::sync::Arc;

use super::streamed::{embed, executor, read_head};
use crate::cpu::products::Processor;
use crate::cpu::weights::OpWeights;
use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::{Op, Plan};

/// One batch through the embedding, some layers straight after each other and, after them, the head.
pub type Trace = Vec<Traced>;

/// A step, and its output.
pub struct Traced {
    /// Its place in the plan.
    pub op: usize,
    /// (tokens, width of what the step leaves); of the head, the last token's logits for the vocabulary's first rows.
    pub output: Vec<f32>,
}

/// Traces `batches` one after the other from position 0 on, through these `layers` of the model; `head` is how many rows
/// of the head are multiplied.
///
/// # Errors
/// A tensor is missing, of the wrong shape or type, or cannot be read.
pub fn trace<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Arc<Plan>,
    processor: &Processor,
    batches: &[&[u32]],
    layers: &[usize],
    head: usize,
) -> Result<Vec<Trace>> {
    let most = batches.iter().map(|batch| batch.len()).max().unwrap_or(0);
    let all = batches.iter().map(|batch| batch.len()).sum();
    // Each layer has a place of its own, up to the last.
    let places = layers.iter().max().map_or(1, |last| last + 1);
    let mut executor = executor(gguf, plan, processor, most, (places, all))?;
    let ops: Vec<usize> = layers.iter().flat_map(|layer| plan.layers()[*layer].clone()).collect();
    let read = |op: &Op, gguf: &mut Gguf<R>| OpWeights::read(gguf, op, &mut |_| {});
    let weights = ops.iter().map(|op| read(&plan.ops()[*op], gguf)).collect::<Result<Vec<_>>>()?;
    let (head, head_weights) = read_head(gguf, plan, 0..head)?;
    let mut traces = Vec::with_capacity(batches.len());
    let mut position = 0;
    for tokens in batches {
        embed(gguf, &mut executor, tokens, position)?;
        let mut trace = vec![Traced { op: 0, output: executor.output(plan.ops()[0].output()) }];
        for (op, weights) in ops.iter().zip(&weights) {
            executor.run(&plan.ops()[*op], weights);
            trace.push(Traced { op: *op, output: executor.output(plan.ops()[*op].output()) });
        }
        let matrix = &head_weights.matrices[0];
        let mut output = vec![0.0; matrix.rows()];
        let last = tokens.len() - 1..tokens.len();
        executor.head(&head, &head_weights.vectors[0], matrix, last, &mut output);
        trace.push(Traced { op: plan.head(), output });
        traces.push(trace);
        position += tokens.len();
    }
    Ok(traces)
}
