//! Validated against the processor on this device, before anything is answered: every kernel on known numbers, then the
//! whole model token by token.

use std::collections::HashSet;
use std::ops::Range;

use wgpu::Buffer;

use super::decode;
use super::geometry::{Choice, PARTIAL_TAIL};
use super::load::kernels_of_op;
use super::memory::Memory;
use super::pipeline::kernel::Kernel;
use super::pipeline::variant::{Dot, Variant};
use super::readback::{Readback, words_of};
use super::state::gpu::Gpu;
use crate::cpu::verify::{Trace, Traced};
use crate::error::{Error, Result};
use crate::model::{Activations, Backend, Kind, Op, Projection, Token, forward};
use crate::sampler::{Sampler, Sampling, argmax};

/// Largest error of a step, as a share of its largest number. Keys that round to another half move a score, and
/// softmax makes more of it. Measured: 2e-3 at most on llvmpipe and SwiftShader; a wrong kernel is off by 0.1 and more.
const EXACT: f32 = 1e-2;

/// The same where activations are quantised to bytes: half a step is 1/254 of a block's peak. Measured: 1.5e-2.
const QUANTIZED: f32 = 6e-2;

/// A kernel that gave wrong numbers.
struct Wrong {
    /// Its name for people.
    kernel: String,
    /// Whose variant may be at fault.
    projection: Option<Projection>,
    off: f32,
}

/// Result of checking the kernels.
pub(crate) struct Checked {
    /// Kernels that were run.
    pub(crate) kernels: usize,
    /// Kernels whose variant gave wrong numbers, and that run their plain one now.
    pub(crate) replaced: Vec<String>,
}

/// Largest difference as a share of the largest number wanted; infinite for what is no number.
fn off(got: &[f32], want: &[f32]) -> f32 {
    let size = want.iter().fold(1e-6f32, |size, v| size.max(v.abs()));
    let worst = got.iter().zip(want).fold(0.0f32, |worst, (a, b)| {
        let difference = (a - b).abs();
        if difference.is_finite() { worst.max(difference) } else { f32::INFINITY }
    });
    if got.len() < want.len() { f32::INFINITY } else { worst / size }
}

impl Gpu {
    /// Layers that together run every kernel and rotation of the model, each because it is the first to bring one: the
    /// first layer alone does not run them all where types or kinds of layers are mixed.
    pub(crate) fn layers_of_every_kernel(&self) -> Vec<usize> {
        let mut known = HashSet::new();
        let mut brings_more = |ops: &Range<usize>| {
            let had = known.len();
            for op in ops.clone() {
                let rope = match &self.plan.ops()[op] {
                    Op::RopeAppend(step) => step.rope,
                    _ => None,
                };
                let kernels = kernels_of_op(&self.plan, &self.weights, &self.variants, op);
                known.extend(kernels.into_iter().map(|kernel| (kernel, rope)));
            }
            known.len() > had
        };
        let layers = self.plan.layers().iter().enumerate();
        layers.filter(|(_, ops)| brings_more(ops)).map(|(layer, _)| layer).collect()
    }

    /// Runs every kernel on `batches` (the second of one token) and compares with the processor's traces of them.
    ///
    /// # Errors
    /// A kernel gives wrong numbers in its plain variant too, or the device failed.
    pub(crate) async fn check_kernels(&mut self, batches: &[&[u32]], traces: &[Trace]) -> Result<Checked> {
        let mut replaced = Vec::new();
        loop {
            let Some(wrong) = self.first_wrong(batches, traces).await? else {
                // Of the choice, argmax and draw.
                let kernels = traces.iter().map(Vec::len).sum::<usize>() + 2;
                return Ok(Checked { kernels, replaced });
            };
            let plain = |projection: &Projection| self.variants[*projection as usize] == Variant::PLAIN;
            let Some(projection) = wrong.projection.filter(|projection| !plain(projection)) else {
                let cause = format!(
                    "{} gives wrong numbers here (off by {:.1e} of the largest)",
                    wrong.kernel, wrong.off
                );
                return Err(Error::Backend { op: "checking the GPU's kernels", cause });
            };
            replaced.push(wrong.kernel);
            let mut variants = self.variants;
            variants[projection as usize] = Variant::PLAIN;
            self.switch(variants).await?;
        }
    }

    async fn first_wrong(&mut self, batches: &[&[u32]], traces: &[Trace]) -> Result<Option<Wrong>> {
        let mut position = 0;
        for (tokens, trace) in batches.iter().zip(traces) {
            let read: Vec<Token> = tokens.iter().copied().map(Token::fine).collect();
            self.begin(&read, position);
            for Traced { op, output: want } in trace {
                if *op == self.plan.head() {
                    self.head(tokens.len() as u32 - 1, 1);
                } else {
                    self.recorder.begin(&self.device, &self.batch);
                    self.run(*op);
                }
                let got = self.result(*op, tokens.len(), want.len()).await?;
                // Numbers downstream of quantised activations are as far off as those.
                let packed = self.variants.iter().any(|variant| variant.dot == Dot::Packed);
                let off = off(&got, want);
                if off > if packed { QUANTIZED } else { EXACT } {
                    let kind = self.plan.ops()[*op].kind();
                    let projection = match kind {
                        Kind::Project(projection) => Some(projection),
                        _ => None,
                    };
                    return Ok(Some(Wrong { kernel: kind.to_string(), projection, off }));
                }
            }
            position += tokens.len();
        }
        self.wrong_choice().await
    }

    /// `count` numbers that a recorded step of `tokens` leaves, in the order of the processor's trace.
    async fn result(&mut self, op: usize, tokens: usize, count: usize) -> Result<Vec<f32>> {
        let spec = &self.plan.spec;
        let buffer = match self.plan.ops()[op].output() {
            Activations::Residual => &self.buffers.residual,
            Activations::Qkv => &self.buffers.qkv,
            Activations::Gated => &self.buffers.gate,
            Activations::Product => &self.buffers.product,
            Activations::Logits => &self.buffers.logits,
            Activations::Queries => {
                let queries = spec.query_width();
                let row = queries + 2 * spec.kv_width();
                let got = self.read(&self.buffers.qkv.clone(), tokens * row).await?;
                return Ok(got.chunks_exact(row).flat_map(|row| &row[..queries]).copied().collect());
            }
            Activations::Attended => {
                // With one split, a head's sum of values and, after it, the sum of weights.
                let dim = spec.head_dim;
                let row = dim + PARTIAL_TAIL as usize;
                let heads = tokens * spec.heads;
                let got = self.read(&self.buffers.partials.clone(), heads * row).await?;
                let values = |head: &[f32]| head[..dim].iter().map(|v| v / head[dim + 1]).collect::<Vec<_>>();
                return Ok(got.chunks_exact(row).flat_map(values).collect());
            }
        };
        self.read(&buffer.clone(), count).await
    }

    /// Argmax and draw against the processor's sampler, on the logits that are there.
    async fn wrong_choice(&mut self) -> Result<Option<Wrong>> {
        let logits = self.read(&self.buffers.logits.clone(), self.plan.spec.vocabulary).await?;
        let settings = Sampling { temperature: 0.8, top_k: 40, top_p: 0.9, seed: 1, ..Sampling::greedy() };
        let mut sampler = Sampler::new(settings, self.plan.spec.vocabulary)?;
        self.begin_choosing(&sampler, 2).await?;
        let wrong = |kernel: &str| Ok(Some(Wrong { kernel: kernel.to_owned(), projection: None, off: 1.0 }));
        let greedy = Choice { penalty: 1.0, ..Choice::default() };
        if self.chosen(greedy, (Kernel::ArgmaxChunk, Kernel::ArgmaxAll)).await? != argmax(&logits) {
            return wrong("argmax");
        }
        let choice = decode::choice(&mut sampler.clone());
        let drawn = self.chosen(choice, (Kernel::BestOfChunk, Kernel::Draw)).await?;
        if drawn != sampler.pick(&mut logits.clone()) {
            return wrong("top-k and draw");
        }
        Ok(None)
    }

    async fn chosen(&mut self, choice: Choice, kernels: (Kernel, Kernel)) -> Result<u32> {
        self.batch.choice = choice;
        self.batch.write = 0;
        self.recorder.begin(&self.device, &self.batch);
        self.record_kernels(kernels);
        let ids = self.read(&self.buffers.ids.clone(), 1).await?;
        Ok(ids[0].to_bits())
    }

    /// Submits what is recorded and reads `count` floats from the start of a buffer.
    async fn read(&mut self, from: &Buffer, count: usize) -> Result<Vec<f32>> {
        let mut memory = Memory::default();
        let bytes = count as u64 * 4;
        let mut readback = Readback::new(&self.device, &mut memory, bytes);
        // There is something to submit even where nothing was dispatched.
        self.recorder.begin(&self.device, &self.batch);
        self.recorder.submit(&self.device, Some((from, 0, &readback.buffer, bytes)))?;
        readback.ask();
        let mut values = Vec::with_capacity(count);
        let take = &mut |view: &[u8]| values.extend(words_of(view).map(f32::from_bits));
        readback.read(&self.device, bytes, take).await?;
        Ok(values)
    }

    /// Teacher forcing: logits after each of `tokens`, decoded one by one from position 0, (tokens, vocabulary).
    ///
    /// # Errors
    /// The device failed.
    pub(crate) async fn teacher_forced(
        &mut self,
        tokens: &[u32],
        each: &mut dyn FnMut(),
    ) -> Result<Vec<f32>> {
        let mut all = Vec::new();
        let mut logits = Vec::new();
        for (position, token) in tokens.iter().enumerate() {
            forward(self, &[Token::fine(*token)], position, 1, &mut logits).await?;
            all.extend_from_slice(&logits);
            each();
        }
        Ok(all)
    }
}
