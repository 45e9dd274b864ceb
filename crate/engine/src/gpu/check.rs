//! Held against the processor on this device, before anything is answered: every kernel on known numbers, then the
//! whole model token by token; and timed.

use wgpu::Buffer;

use super::backend::{Gpu, Site};
use super::kernels::Kernel;
use super::memory::Memory;
use super::readback::{self, Readback};
use super::record::Choice;
use super::variant::{Dot, Variant};
use crate::cpu::Trace;
use crate::error::{Error, Result};
use crate::model::{Backend, forward, layers};
use crate::sampler::{Sampler, Sampling, argmax};

/// Largest error of a stage, as a share of its largest number. Keys that round to another half move a score, and
/// softmax makes more of it. Measured: 2e-3 at most on llvmpipe and SwiftShader; a wrong kernel is off by 0.1 and more.
const EXACT: f32 = 1e-2;

/// The same where activations are quantised to bytes: half a step is 1/254 of a block's peak. Measured: 1.5e-2.
const QUANTIZED: f32 = 6e-2;

/// What timing one variant may take, ms.
const TUNE_MS: f64 = 25.0;

/// Layers that stand for all when variants are timed.
const TUNE_LAYERS: usize = 4;

/// What decode speed is measured over, ms.
const SPEED_MS: f64 = 200.0;

/// A stage that gave wrong numbers.
struct Wrong {
    kernel: &'static str,
    /// Whose variant may be at fault.
    site: Option<Site>,
    off: f32,
}

/// What checking the kernels came to.
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

/// The stages of a layer in order: what is recorded, where its result lies, which trace it is held against.
type Step = (&'static str, Option<Site>, fn(&mut Gpu));

const STEPS: [Step; 6] = [
    ("norm + QKV", Some(Site::Qkv), |gpu| gpu.norm_qkv(0)),
    ("rope + KV append", None, |gpu| gpu.rope_append(0)),
    ("attention", None, |gpu| gpu.attend(0)),
    ("output + residual", Some(Site::Output), |gpu| gpu.output_residual(0)),
    ("norm + gate·up", Some(Site::GateUp), |gpu| gpu.norm_gate_up(0)),
    ("down + residual", Some(Site::Down), |gpu| gpu.down_residual(0)),
];

impl Gpu {
    /// Runs every kernel on `batches` (the second of one token) and compares with the processor's traces of them.
    ///
    /// # Errors
    /// A kernel gives wrong numbers in its plain variant too, or the device failed.
    pub(crate) async fn check_kernels(&mut self, batches: &[&[u32]], traces: &[Trace]) -> Result<Checked> {
        let mut replaced = Vec::new();
        loop {
            let Some(wrong) = self.first_wrong(batches, traces).await? else {
                let kernels = batches.len() * (STEPS.len() + 2) + 2;
                return Ok(Checked { kernels, replaced });
            };
            let site = wrong.site.filter(|site| self.variants[*site as usize] != Variant::PLAIN);
            let Some(site) = site else {
                let cause = format!(
                    "{} gives wrong numbers here (off by {:.1e} of the largest)",
                    wrong.kernel, wrong.off
                );
                return Err(Error::Backend { op: "checking the GPU's kernels", cause });
            };
            replaced.push(wrong.kernel.to_owned());
            let mut variants = self.variants;
            variants[site as usize] = Variant::PLAIN;
            self.switch(variants).await?;
        }
    }

    async fn first_wrong(&mut self, batches: &[&[u32]], traces: &[Trace]) -> Result<Option<Wrong>> {
        let mut position = 0;
        for (tokens, trace) in batches.iter().zip(traces) {
            self.embed(tokens, position);
            let wrong = self.compare(("embed", None), &trace.embedding, |gpu| &gpu.buffers.residual).await?;
            if wrong.is_some() {
                return Ok(wrong);
            }
            for (kernel, site, record) in STEPS {
                self.recorder.begin(&self.device, &self.batch);
                record(self);
                let wrong = self.compare_step((kernel, site), tokens.len(), trace).await?;
                if wrong.is_some() {
                    return Ok(wrong);
                }
            }
            self.head(tokens.len() as u32 - 1, 1);
            let head = ("norm + head", Some(Site::Head));
            let wrong = self.compare(head, &trace.logits, |gpu| &gpu.buffers.logits).await?;
            if wrong.is_some() {
                return Ok(wrong);
            }
            position += tokens.len();
        }
        self.wrong_choice().await
    }

    async fn compare_step(
        &mut self,
        step: (&'static str, Option<Site>),
        n: usize,
        trace: &Trace,
    ) -> Result<Option<Wrong>> {
        match step.0 {
            "norm + QKV" => self.compare(step, &trace.qkv, |gpu| &gpu.buffers.qkv).await,
            "rope + KV append" => {
                let got = self.read(|gpu| &gpu.buffers.qkv, trace.qkv.len()).await?;
                let (queries, row) = (self.config.query_width(), trace.qkv.len() / n);
                let got: Vec<f32> = got.chunks_exact(row).flat_map(|row| &row[..queries]).copied().collect();
                Ok(self.judge(step, &got, &trace.query))
            }
            "attention" => {
                // With one piece, a head's sum of values and, after it, the sum of weights.
                let dim = self.config.head_dim;
                let got = self.read(|gpu| &gpu.buffers.pieces, n * self.config.heads * (dim + 4)).await?;
                let heads = got.chunks_exact(dim + 4);
                let got: Vec<f32> =
                    heads.flat_map(|head| head[..dim].iter().map(|v| v / head[dim + 1])).collect();
                Ok(self.judge(step, &got, &trace.attended))
            }
            "norm + gate·up" => self.compare(step, &trace.gate, |gpu| &gpu.buffers.gate).await,
            "output + residual" => {
                self.compare(step, &trace.after_attention, |gpu| &gpu.buffers.residual).await
            }
            _ => self.compare(step, &trace.after_ffn, |gpu| &gpu.buffers.residual).await,
        }
    }

    async fn compare(
        &mut self,
        step: (&'static str, Option<Site>),
        want: &[f32],
        buffer: fn(&Self) -> &Buffer,
    ) -> Result<Option<Wrong>> {
        let got = self.read(buffer, want.len()).await?;
        Ok(self.judge(step, &got, want))
    }

    fn judge(
        &self,
        (kernel, site): (&'static str, Option<Site>),
        got: &[f32],
        want: &[f32],
    ) -> Option<Wrong> {
        // Numbers downstream of quantised activations are as far off as those.
        let packed = self.variants.iter().any(|variant| variant.dot == Dot::Packed);
        let (off, limit) = (off(got, want), if packed { QUANTIZED } else { EXACT });
        (off > limit).then_some(Wrong { kernel, site, off })
    }

    /// Argmax and draw against the processor's sampler, on the logits that are there.
    async fn wrong_choice(&mut self) -> Result<Option<Wrong>> {
        let logits = self.read(|gpu| &gpu.buffers.logits, self.config.vocabulary).await?;
        let settings = Sampling { temperature: 0.8, top_k: 40, top_p: 0.9, seed: 1, ..Sampling::greedy() };
        let mut sampler = Sampler::new(settings, self.config.vocabulary)?;
        self.begin(&sampler, 2).await?;
        let greedy = Choice { penalty: 1.0, ..Choice::default() };
        let chosen = self.chosen(greedy, (Kernel::ArgmaxChunk, Kernel::ArgmaxAll)).await?;
        if chosen != argmax(&logits) {
            return Ok(Some(Wrong { kernel: "argmax", site: None, off: 1.0 }));
        }
        let choice = super::chain::choice(&mut sampler.clone());
        let drawn = self.chosen(choice, (Kernel::BestOfChunk, Kernel::Draw)).await?;
        let wrong = drawn != sampler.pick(&mut logits.clone());
        Ok(wrong.then_some(Wrong { kernel: "top-k and draw", site: None, off: 1.0 }))
    }

    async fn chosen(&mut self, choice: Choice, kernels: (Kernel, Kernel)) -> Result<u32> {
        self.batch.choice = choice;
        self.batch.write = 0;
        self.recorder.begin(&self.device, &self.batch);
        self.record_kernels(kernels);
        let ids = self.read(|gpu| &gpu.buffers.ids, 1).await?;
        Ok(ids[0].to_bits())
    }

    /// Submits what is recorded and reads `count` floats from the start of a buffer.
    async fn read(&mut self, buffer: fn(&Self) -> &Buffer, count: usize) -> Result<Vec<f32>> {
        let (mut memory, bytes) = (Memory::default(), count as u64 * 4);
        let mut readback = Readback::new(&self.device, &mut memory, bytes);
        let from = buffer(self).clone();
        // There is something to submit even where nothing was dispatched.
        self.recorder.begin(&self.device, &self.batch);
        self.recorder.submit(&self.device, Some((&from, 0, &readback.buffer, bytes)))?;
        readback.ask();
        let mut values = Vec::with_capacity(count);
        let take = &mut |view: &[u8]| {
            values.extend(view.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        };
        readback.read(&self.device, bytes, take).await?;
        Ok(values)
    }

    /// Logits after each of `tokens`, decoded one by one from position 0: (tokens, vocabulary).
    ///
    /// # Errors
    /// The device failed.
    pub(crate) async fn forced(&mut self, tokens: &[u32], each: &mut dyn FnMut()) -> Result<Vec<f32>> {
        let (config, mut all) = (self.config.clone(), Vec::new());
        let mut logits = Vec::new();
        for (position, token) in tokens.iter().enumerate() {
            forward(self, &config, &[*token], position, 1, &mut logits).await?;
            all.extend_from_slice(&logits);
            each();
        }
        Ok(all)
    }

    /// Goes over to the fastest of the variants that do not quantise activations: those that do are faster on some
    /// adapters and part from the processor's text, so they are for whoever asks for them. Returns what the decode
    /// speed would be, tokens/s, scaled by bytes from a few layers and the head. `now`: ms.
    ///
    /// # Errors
    /// The device failed; a variant that it refuses is passed over.
    pub(crate) async fn tune(&mut self, now: fn() -> f64) -> Result<Option<f64>> {
        let mut best = (f64::INFINITY, self.variants);
        // Software adapters take half a second to compile a kernel and have no lanes to spare.
        let count = if self.adapter().software() { 2 } else { Variant::CANDIDATES.len() };
        let candidates = &Variant::CANDIDATES[..count];
        for variant in candidates {
            if !self.device.offers(variant) || self.switch([*variant; 5]).await.is_err() {
                continue;
            }
            let ms = self.time_variant(now, best.0).await?;
            if ms < best.0 {
                best = (ms, self.variants);
            }
        }
        self.switch(best.1).await?;
        let count = TUNE_LAYERS.min(self.config.layers);
        let share = self.weights.bytes_of(count) as f64 / self.weights.bytes_per_token() as f64;
        Ok((best.0 > 0.0).then_some(share * 1e3 / best.0))
    }

    /// Goes over to this variant, if the device offers it.
    ///
    /// # Errors
    /// The device refuses one of its kernels.
    pub(crate) async fn use_variant(&mut self, variant: Variant) -> Result<()> {
        if self.device.offers(&variant) { self.switch([variant; 5]).await } else { Ok(()) }
    }

    /// The least that a few layers and the head took, ms.
    async fn time_variant(&mut self, now: fn() -> f64, best: f64) -> Result<f64> {
        let (mut least, mut spent) = (f64::INFINITY, 0.0);
        let count = TUNE_LAYERS.min(self.config.layers);
        // The first run compiles and warms up; it is not counted.
        for run in 0..20 {
            let start = now();
            self.embed(&[0], 0);
            layers(self, count);
            self.head(0, 1);
            self.recorder.submit(&self.device, None)?;
            readback::done(&self.device).await?;
            let ms = now() - start;
            if run > 0 {
                (least, spent) = (least.min(ms), spent + ms);
            }
            if spent > TUNE_MS || (run > 1 && least > 1.5 * best) {
                break;
            }
        }
        Ok(least)
    }

    /// Tokens/s of greedy decoding from the first position on. `now`: ms.
    ///
    /// # Errors
    /// The device failed.
    pub(crate) async fn decode_speed(&mut self, now: fn() -> f64) -> Result<Option<f64>> {
        let left = self.context.min(4096);
        let sampler = Sampler::new(Sampling::greedy(), self.config.vocabulary)?;
        self.begin(&sampler, left).await?;
        self.embed(&[0], 0);
        let count = self.config.layers;
        layers(self, count);
        self.choose_first(1)?;
        self.next(now).await?;
        let (start, mut tokens) = (now(), 0);
        while tokens + 2 < left && (tokens < 2 || now() - start < SPEED_MS) {
            self.next(now).await?;
            tokens += 1;
        }
        let ms = now() - start;
        self.begin(&sampler, 0).await?;
        self.reset_costs();
        Ok((ms > 0.0).then_some(tokens as f64 * 1e3 / ms))
    }
}
