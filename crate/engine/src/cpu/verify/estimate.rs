//! How fast this processor would decode, without holding the model.

use std::io::{Read, Seek};
use std::ops::Range;
use std::sync::Arc;

use super::streamed::{SLICE, executor, lookup, read_head};
use crate::cpu::executor::Executor;
use crate::cpu::products::Processor;
use crate::cpu::weights::OpWeights;
use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::{Op, Plan, Precision, Rows};

/// Bytes of layers, as the file stores them, that are held for timing; one layer at least.
const HELD: u64 = 5_000_000;

/// Bytes of the file that are read between two passes, to push the held weights out of the caches. More than the
/// outer cache of most processors; decoding finds its weights there only where the cache holds the whole model.
const BETWEEN: u64 = 100_000_000;

/// Bytes of it that are in memory at a time.
const PIECE: usize = 1 << 18;

/// Limit of the whole estimate, ms, reading included.
const BUDGET_MS: f64 = 250.0;

/// Passes that are timed, whatever the clock says: a slow file still gives some, a clock that stands still ends.
const PASSES: std::ops::RangeInclusive<usize> = 3..=30;

/// A speed that was worked out from part of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Decode speed, tokens/s.
    pub tokens_per_s: f64,
    /// Layers that were held and timed.
    pub layers: usize,
    /// Passes over them.
    pub passes: usize,
    /// Time of these passes together, ms.
    pub measured_ms: f64,
}

/// Decode speed of this processor: a token's way through the first layers and a slice of the head, several times,
/// scaled by bytes to all layers and the whole head. `now` is a monotonic clock, ms. `None` where the clock did not
/// move.
///
/// Decoding waits for memory: weights that are used again and again stay in the caches and look up to three times
/// as fast as those of a whole model. So much of the file is read between passes. Against decoding the default
/// model, the estimate was 0.9 to 1.2 times the truth natively, and 0.8 to 1.4 times in WebAssembly under V8, on a
/// machine that others used too.
/// The remaining error is in the processor's favour: an outer cache larger than what is read between, fewer pages to
/// look up than a whole model has, and neither a long context's attention nor the choice of a token is in it. In a
/// browser, run [`super::streamed::forward`] first: code that has just arrived is slower, by half and more.
///
/// # Errors
/// A tensor is missing, of the wrong shape or type, or cannot be read.
pub fn estimate<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    plan: &Arc<Plan>,
    processor: &Processor,
    now: &dyn Fn() -> f64,
) -> Result<Option<Estimate>> {
    let begun = now();
    let of_layer = |ops: &Range<usize>| {
        let ops = &plan.ops()[ops.clone()];
        ops.iter().map(|op| matrix_bytes(gguf, op) + vector_bytes(gguf, op)).sum()
    };
    let sizes: Vec<u64> = plan.layers().iter().map(of_layer).collect();
    // Of the head, the matrix: its norm is read whole, however few rows are timed.
    let head = matrix_bytes(gguf, &plan.ops()[plan.head()]);
    let mut timed = Timed::read(gguf, plan, processor, held(&sizes))?;
    // Brings code and buffers in; not counted.
    timed.pass(now);
    let mut measured_ms = 0.0;
    let mut passes = 0;
    let mut at = 0;
    while passes < *PASSES.start() || (now() - begun < BUDGET_MS && passes < *PASSES.end()) {
        push_out(gguf, &mut at)?;
        measured_ms += timed.pass(now);
        passes += 1;
    }
    let layers = timed.layers;
    let all = sizes.iter().sum::<u64>() + head;
    let rows = timed.head.1.matrices[0].rows() as u64;
    let part = sizes[..layers].iter().sum::<u64>() + head * rows / plan.spec.vocabulary as u64;
    let tokens_per_s = 1000.0 * passes as f64 / measured_ms * part as f64 / all as f64;
    Ok((measured_ms > 0.0).then_some(Estimate { tokens_per_s, layers, passes, measured_ms }))
}

/// How many of the first layers of these sizes are held.
pub(super) fn held(sizes: &[u64]) -> usize {
    let mut sum = 0;
    let within = sizes.iter().take_while(|bytes| {
        sum += **bytes;
        sum <= HELD
    });
    within.count().max(1)
}

/// Bytes in the file of the rows of a step's matrices.
fn matrix_bytes<R: Read + Seek>(gguf: &Gguf<R>, op: &Op) -> u64 {
    let of = |rows: &Rows| {
        let tensor = gguf.tensor(&rows.tensor)?;
        Some(tensor.bytes / rows.shape.0 as u64 * rows.rows.len() as u64)
    };
    op.weights().iter().filter_map(of).sum()
}

/// Bytes in the file of a step's vectors.
fn vector_bytes<R: Read + Seek>(gguf: &Gguf<R>, op: &Op) -> u64 {
    let vectors = op.vectors();
    vectors.iter().filter_map(|vector| gguf.tensor(&vector.tensor)).map(|tensor| tensor.bytes).sum()
}

/// Reads the next [`BETWEEN`] bytes, going on from tensor `at`.
fn push_out<R: Read + Seek>(gguf: &mut Gguf<R>, at: &mut usize) -> Result<()> {
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    for _ in 0..gguf.tensors().len() {
        let tensor = &gguf.tensors()[*at % gguf.tensors().len()];
        let name = tensor.name.clone();
        let bytes = tensor.bytes;
        *at += 1;
        for start in (0..bytes).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min((bytes - start) as usize)];
            gguf.read_range(&name, start, piece)?;
        }
        done += bytes;
        if done >= BETWEEN {
            break;
        }
    }
    Ok(())
}

/// The part of the model that is timed.
struct Timed {
    executor: Executor,
    embedding: Vec<f32>,
    layers: usize,
    /// Of the steps after the embedding, up to the last of these layers.
    weights: Vec<OpWeights>,
    /// The first rows of it.
    head: (Op, OpWeights),
    logits: Vec<f32>,
}

impl Timed {
    fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        plan: &Arc<Plan>,
        processor: &Processor,
        layers: usize,
    ) -> Result<Self> {
        let rows = SLICE.min(plan.spec.vocabulary);
        let mut read = |op: &Op| OpWeights::read(gguf, op, &mut |_| {});
        let ops = &plan.ops()[1..plan.first_layers(layers).end];
        let weights = ops.iter().map(&mut read).collect::<Result<_>>()?;
        Ok(Self {
            executor: executor(gguf, plan, processor, 1, (layers, 1))?,
            embedding: lookup(gguf, plan, &[0])?,
            layers,
            weights,
            head: read_head(gguf, plan, 0..rows)?,
            logits: vec![0.0; rows],
        })
    }

    /// One token through all that is held, ms.
    fn pass(&mut self, now: &dyn Fn() -> f64) -> f64 {
        let Self { executor, embedding, weights, head: (head, head_weights), logits, .. } = self;
        let plan = Arc::clone(&executor.plan);
        let begun = now();
        // From the start each time: left to grow, the numbers would end in infinities, which take another time.
        executor.embed(0, std::iter::once(Precision::Fourteen), |_, row| row.copy_from_slice(embedding));
        plan.ops()[1..].iter().zip(weights).for_each(|(op, weights)| executor.run(op, weights));
        executor.head(head, &head_weights.vectors[0], &head_weights.matrices[0], 0..1, logits);
        now() - begun
    }
}
