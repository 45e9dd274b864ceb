//! [`Backend`] on this processor: all weights held, packed, and an executor over them.

use std::io::{Read, Seek};
use std::ops::Range;
use std::sync::Arc;

use super::executor::{Executor, MAX_BATCH};
use super::matrix::Matrix;
use super::products::Processor;
use super::weights::OpWeights;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::model::{Backend, Op, Plan, Token, weights};

/// The CPU backend: weights, cache, and buffers that no later step allocates.
pub struct Cpu {
    /// Of each step of the plan; a tied head has none of its own.
    pub(super) weights: Vec<OpWeights>,
    pub(super) executor: Executor,
    pub(super) plan: Arc<Plan>,
    /// The batch under way.
    tokens: Vec<Token>,
    position: usize,
}

impl Cpu {
    /// Streams the weights in and allocates a cache of `positions`.
    ///
    /// # Errors
    /// A tensor is missing, of the wrong shape or type, or cannot be read.
    pub fn load<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        plan: &Arc<Plan>,
        positions: usize,
        processor: &Processor,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let mut held = Vec::with_capacity(plan.ops().len());
        for index in 0..plan.ops().len() {
            let mut read = OpWeights::default();
            weights::load_resident(gguf, plan, index, read_bytes, &mut read)?;
            held.push(read);
        }
        let rotations = weights::load_ropes(gguf, plan, read_bytes)?;
        // Beyond what an address can count (wasm addresses 4 GiB).
        if plan.spec.kv_bytes(positions) > (usize::MAX / 2) as u64 {
            let cause = format!("a context of {positions} positions does not fit this machine's memory");
            return Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
        }
        let size = (plan.spec.layers.len(), positions);
        let executor = Executor::new(plan, processor, MAX_BATCH, size, rotations);
        let tokens = Vec::with_capacity(MAX_BATCH);
        Ok(Self { weights: held, executor, plan: Arc::clone(plan), tokens, position: 0 })
    }

    /// Runs the head for these rows of the batch, to `out` (rows, vocabulary).
    pub(super) fn run_head(&mut self, rows: Range<usize>, out: &mut [f32]) {
        let head = self.plan.head();
        let matrix = head_of(head, &self.weights);
        self.executor.head(&self.plan.ops()[head], &self.weights[head].vectors[0], matrix, rows, out);
    }

    /// Bytes of all weights that are held.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        let vectors = self.weights.iter().flat_map(|weights| &weights.vectors).map(Vec::len).sum::<usize>();
        self.weights.iter().map(OpWeights::bytes).sum::<u64>() + (vectors * size_of::<f32>()) as u64
    }

    /// Bytes of packed weights that a decoded token reads.
    pub(super) fn bytes_per_token(&self) -> u64 {
        let head = self.plan.head();
        self.weights[1..head].iter().map(OpWeights::bytes).sum::<u64>() + head_of(head, &self.weights).bytes()
    }
}

/// The matrix that turns the last state into logits: the embedding's where the two are tied.
fn head_of(head: usize, weights: &[OpWeights]) -> &Matrix {
    weights[head].matrices.first().unwrap_or(&weights[0].matrices[0])
}

impl Backend for Cpu {
    fn name(&self) -> String {
        "cpu-simd".to_owned()
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn context(&self) -> usize {
        self.executor.positions()
    }

    fn max_batch(&self) -> usize {
        MAX_BATCH
    }

    fn begin(&mut self, tokens: &[Token], position: usize) {
        self.tokens.clear();
        self.tokens.extend_from_slice(tokens);
        self.position = position;
    }

    fn run(&mut self, op: usize) {
        match &self.plan.ops()[op] {
            Op::Embed(_) => {
                let table = &self.weights[op].matrices[0];
                let tokens = &self.tokens;
                let precisions = tokens.iter().map(|token| token.precision);
                self.executor.embed(self.position, precisions, |index, row| {
                    table.dequantize_row(tokens[index].id as usize, row);
                });
            }
            other => self.executor.run(other, &self.weights[op]),
        }
    }

    async fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        out.resize(rows.len() * self.plan.spec.vocabulary, 0.0);
        if !rows.is_empty() {
            self.run_head(rows, out);
        }
        self.executor.processor.pool.check()
    }
}
