//! Validated against the processor on this device, before anything is answered: every kernel on known numbers, then the
//! whole model token by token.

use wgpu::Buffer;

use super::decode;
use super::geometry::{Choice, PARTIAL_TAIL};
use super::memory::Memory;
use super::pipeline::kernel::Kernel;
use super::pipeline::projection::Projection;
use super::pipeline::variant::{Dot, Variant};
use super::readback::{Readback, words_of};
use super::state::gpu::Gpu;
use crate::cpu::Trace;
use crate::error::{Error, Result};
use crate::model::{Backend, forward};
use crate::sampler::{Sampler, Sampling, argmax};

/// Largest error of a stage, as a share of its largest number. Keys that round to another half move a score, and
/// softmax makes more of it. Measured: 2e-3 at most on llvmpipe and SwiftShader; a wrong kernel is off by 0.1 and more.
const EXACT: f32 = 1e-2;

/// The same where activations are quantised to bytes: half a step is 1/254 of a block's peak. Measured: 1.5e-2.
const QUANTIZED: f32 = 6e-2;

/// What is validated, in the order in which a batch meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Embed,
    NormQkv,
    RopeAppend,
    Attend,
    OutputResidual,
    NormGateUp,
    DownResidual,
    Head,
}

impl Stage {
    const ALL: [Self; 8] = [
        Self::Embed,
        Self::NormQkv,
        Self::RopeAppend,
        Self::Attend,
        Self::OutputResidual,
        Self::NormGateUp,
        Self::DownResidual,
        Self::Head,
    ];

    /// Name for people.
    fn name(self) -> &'static str {
        match self {
            Self::Embed => "embed",
            Self::NormQkv => "norm + QKV",
            Self::RopeAppend => "rope + KV append",
            Self::Attend => "attention",
            Self::OutputResidual => "output + residual",
            Self::NormGateUp => "norm + gate·up",
            Self::DownResidual => "down + residual",
            Self::Head => "norm + head",
        }
    }

    /// Whose variant may be at fault.
    fn projection(self) -> Option<Projection> {
        match self {
            Self::Embed | Self::RopeAppend | Self::Attend => None,
            Self::NormQkv => Some(Projection::Qkv),
            Self::OutputResidual => Some(Projection::Output),
            Self::NormGateUp => Some(Projection::GateUp),
            Self::DownResidual => Some(Projection::Down),
            Self::Head => Some(Projection::Head),
        }
    }
}

/// A kernel that gave wrong numbers.
struct Wrong {
    kernel: &'static str,
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
    /// Runs every kernel on `batches` (the second of one token) and compares with the processor's traces of them.
    ///
    /// # Errors
    /// A kernel gives wrong numbers in its plain variant too, or the device failed.
    pub(crate) async fn check_kernels(&mut self, batches: &[&[u32]], traces: &[Trace]) -> Result<Checked> {
        let mut replaced = Vec::new();
        loop {
            let Some(wrong) = self.first_wrong(batches, traces).await? else {
                // Of the choice, argmax and draw.
                let kernels = batches.len() * Stage::ALL.len() + 2;
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
            replaced.push(wrong.kernel.to_owned());
            let mut variants = self.variants;
            variants[projection as usize] = Variant::PLAIN;
            self.switch(variants).await?;
        }
    }

    async fn first_wrong(&mut self, batches: &[&[u32]], traces: &[Trace]) -> Result<Option<Wrong>> {
        let mut position = 0;
        for (tokens, trace) in batches.iter().zip(traces) {
            for stage in Stage::ALL {
                self.record_stage(stage, tokens, position);
                let (got, want) = self.result(stage, tokens.len(), trace).await?;
                // Numbers downstream of quantised activations are as far off as those.
                let packed = self.variants.iter().any(|variant| variant.dot == Dot::Packed);
                let off = off(&got, want);
                if off > if packed { QUANTIZED } else { EXACT } {
                    return Ok(Some(Wrong { kernel: stage.name(), projection: stage.projection(), off }));
                }
            }
            position += tokens.len();
        }
        self.wrong_choice().await
    }

    /// Records a stage of the first layer, or what comes before and after the layers.
    fn record_stage(&mut self, stage: Stage, tokens: &[u32], position: usize) {
        // Embedding and head begin a batch of their own behind this one.
        self.recorder.begin(&self.device, &self.batch);
        match stage {
            Stage::Embed => self.embed(tokens, position),
            Stage::NormQkv => self.norm_qkv(0),
            Stage::RopeAppend => self.rope_append(0),
            Stage::Attend => self.attend(0),
            Stage::OutputResidual => self.output_residual(0),
            Stage::NormGateUp => self.norm_gate_up(0),
            Stage::DownResidual => self.down_residual(0),
            Stage::Head => self.head(tokens.len() as u32 - 1, 1),
        }
    }

    /// The numbers of a recorded stage, and those of the processor.
    async fn result<'t>(
        &mut self,
        stage: Stage,
        tokens: usize,
        trace: &'t Trace,
    ) -> Result<(Vec<f32>, &'t [f32])> {
        let (buffer, want) = match stage {
            Stage::Embed => (&self.buffers.residual, &trace.embedding),
            Stage::NormQkv => (&self.buffers.qkv, &trace.qkv),
            Stage::RopeAppend => {
                let got = self.read(&self.buffers.qkv.clone(), trace.qkv.len()).await?;
                let queries = self.config.query_width();
                let rows = got.chunks_exact(trace.qkv.len() / tokens);
                return Ok((rows.flat_map(|row| &row[..queries]).copied().collect(), &trace.query));
            }
            Stage::Attend => {
                // With one split, a head's sum of values and, after it, the sum of weights.
                let dim = self.config.head_dim;
                let row = dim + PARTIAL_TAIL as usize;
                let count = tokens * self.config.heads * row;
                let got = self.read(&self.buffers.partials.clone(), count).await?;
                let heads = got.chunks_exact(row);
                let values = heads.flat_map(|head| head[..dim].iter().map(|v| v / head[dim + 1]));
                return Ok((values.collect(), &trace.attended));
            }
            Stage::OutputResidual => (&self.buffers.residual, &trace.after_attention),
            Stage::NormGateUp => (&self.buffers.gate, &trace.gate),
            Stage::DownResidual => (&self.buffers.residual, &trace.after_ffn),
            Stage::Head => (&self.buffers.logits, &trace.logits),
        };
        Ok((self.read(&buffer.clone(), want.len()).await?, want))
    }

    /// Argmax and draw against the processor's sampler, on the logits that are there.
    async fn wrong_choice(&mut self) -> Result<Option<Wrong>> {
        let logits = self.read(&self.buffers.logits.clone(), self.config.vocabulary).await?;
        let settings = Sampling { temperature: 0.8, top_k: 40, top_p: 0.9, seed: 1, ..Sampling::greedy() };
        let mut sampler = Sampler::new(settings, self.config.vocabulary)?;
        self.begin(&sampler, 2).await?;
        let wrong = |kernel| Ok(Some(Wrong { kernel, projection: None, off: 1.0 }));
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
        let config = self.config.clone();
        let mut all = Vec::new();
        let mut logits = Vec::new();
        for (position, token) in tokens.iter().enumerate() {
            forward(self, &config, &[*token], position, 1, &mut logits).await?;
            all.extend_from_slice(&logits);
            each();
        }
        Ok(all)
    }
}
