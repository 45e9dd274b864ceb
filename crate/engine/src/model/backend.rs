//! The interface of the backends, which run a plan's steps.

use std::ops::Range;

pub use protocol::Precision;

use super::plan::Plan;
use crate::error::Result;

/// A token to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Entry of the vocabulary.
    pub id: u32,
    /// Of its activations.
    pub precision: Precision,
}

impl Token {
    /// One whose activations have fourteen bits.
    pub const fn fine(id: u32) -> Self {
        Self { id, precision: Precision::Fourteen }
    }
}

/// Runs the steps of a [`Plan`], on its own activations and KV cache.
///
/// A batch begins with [`begin`](Backend::begin), goes through the plan's [`body`](Plan::body) step by step, and ends
/// with [`logits`](Backend::logits), which runs the head. Steps only enqueue work where the device is asynchronous;
/// its errors, and its results, come out of `logits`. The conversation itself is not in here: whoever holds the tokens
/// can refill any backend.
pub trait Backend {
    /// Name shown to people, e.g. `cpu-simd`.
    fn name(&self) -> String;
    /// The steps that it runs.
    fn plan(&self) -> &Plan;
    /// Positions the KV cache holds.
    fn context(&self) -> usize;
    /// Most tokens in one batch.
    fn max_batch(&self) -> usize;
    /// Starts a batch: `tokens` at `position` and after. The cache keeps what lies before `position`.
    fn begin(&mut self, tokens: &[Token], position: usize);
    /// Runs the step `op` of the plan's body.
    fn run(&mut self, op: usize);
    /// Runs the head for these rows of the batch, to `out` (rows, vocabulary).
    fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> impl Future<Output = Result<()>>;
}

/// Reads `tokens` at `position` and after into the backend's cache, and writes the logits of the batch's
/// last `want` rows to `out` (want, vocabulary); none of the head is computed when `want` is 0.
///
/// # Errors
/// The backend's.
pub async fn forward<B: Backend>(
    backend: &mut B,
    tokens: &[Token],
    position: usize,
    want: usize,
    out: &mut Vec<f32>,
) -> Result<()> {
    backend.begin(tokens, position);
    let body = backend.plan().body();
    run_ops(backend, body);
    backend.logits(tokens.len() - want..tokens.len(), out).await
}

/// Takes a batch that was begun through these steps.
pub fn run_ops<B: Backend>(backend: &mut B, ops: Range<usize>) {
    ops.for_each(|op| backend.run(op));
}
