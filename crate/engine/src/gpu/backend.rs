//! The stages of [`Backend`], recorded for the GPU.

use std::ops::Range;

use super::buffers::Buffers;
use super::chain::Chain;
use super::kernels::{Epilogue, Kernel, Prologue};
use super::load::Weights;
use super::memory::Memory;
use super::readback::{self, Readback};
use super::record::{Batch, Recorder};
use super::variant::Variant;
use super::weights::Matrix;
use super::{Costs, Device};
use crate::error::Result;
use crate::model::{Backend, Config};
use wgpu::BindGroup;

/// Rows of logits kept at a time.
pub(super) const LOGIT_ROWS: usize = 16;

/// Positions that one piece of attention covers; `PIECE` in `attend.wgsl`.
pub(super) const PIECE: usize = 256;

/// Groups of rows and tokens of a workgroup of `matmul.wgsl`.
const TILE: (u32, u32) = (8, 16);

/// Logits that one workgroup of the choice looks through; `CHUNK` in `shared/choice.wgsl`.
pub(super) const CHUNK: usize = 1024;

/// The GPU backend: weights, cache, and everything a token needs, made once.
pub struct Gpu {
    pub(super) device: Device,
    pub(super) config: Config,
    pub(super) context: usize,
    /// By [`Site`]: a kernel that gave wrong numbers runs its plain variant alone.
    pub(super) variants: Variants,
    pub(super) weights: Weights,
    pub(super) buffers: Buffers,
    pub(super) recorder: Recorder,
    pub(super) chain: Chain,
    pub(super) costs: Costs,
    /// Logits on their way back; made when first wanted.
    pub(super) logits_out: Option<Readback>,
    pub(super) memory: Memory,
    /// The batch that is being recorded.
    pub(super) batch: Batch,
}

/// Where a token meets weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    Qkv,
    Output,
    GateUp,
    Down,
    Head,
}

impl Site {
    pub(super) const ALL: [Self; 5] = [Self::Qkv, Self::Output, Self::GateUp, Self::Down, Self::Head];

    /// What happens before and after the multiplication.
    pub(super) fn ends(self) -> (Prologue, Epilogue) {
        match self {
            Self::Qkv | Self::Head => (Prologue::Norm, Epilogue::Store),
            Self::Output => (Prologue::Merge, Epilogue::Add),
            Self::GateUp => (Prologue::Norm, Epilogue::Swiglu),
            Self::Down => (Prologue::Plain, Epilogue::Add),
        }
    }
}

/// The variant that runs at each [`Site`].
pub(super) type Variants = [Variant; 5];

/// A multiplication: its input's bind groups for one token and for many, and what happens on both ends.
struct Stage<'a> {
    site: Site,
    matrix: &'a Matrix,
    one: &'a BindGroup,
    /// (preparing the batch, multiplying it).
    many: (&'a BindGroup, &'a BindGroup),
}

/// Where dispatches go: the parts of [`Gpu`] that a stage needs beside the weights.
struct Tape<'a> {
    device: &'a Device,
    recorder: &'a mut Recorder,
    variants: &'a Variants,
    tokens: u32,
}

impl Tape<'_> {
    fn multiply(&mut self, stage: &Stage) {
        if self.tokens == 1 {
            self.matvec(stage);
        } else {
            self.matmul(stage);
        }
    }

    fn matvec(&mut self, stage: &Stage) {
        let (variant, (prologue, epilogue)) = (self.variants[stage.site as usize], stage.site.ends());
        for part in &stage.matrix.parts {
            let kernel = Kernel::Matvec(part.bits, prologue, epilogue, variant);
            let per_workgroup = variant.lanes / 8 * epilogue.groups(variant.rows);
            let size = [epilogue.weight_groups(part.rows).div_ceil(per_workgroup), 1, 1];
            self.recorder.dispatch(self.device, kernel, &[&part.group, stage.one], size);
        }
    }

    fn matmul(&mut self, stage: &Stage) {
        let (dot, (prologue, epilogue)) = (self.variants[stage.site as usize].dot, stage.site.ends());
        let mut prepared = None;
        for part in &stage.matrix.parts {
            let quantizes = part.bits.quantizes(dot);
            if prepared != Some(quantizes) {
                let kernel = Kernel::Prepare(prologue, quantizes);
                self.recorder.dispatch(
                    self.device,
                    kernel,
                    &[&part.group, stage.many.0],
                    [self.tokens, 1, 1],
                );
                prepared = Some(quantizes);
            }
            let kernel = Kernel::Matmul(part.bits, epilogue, dot);
            let groups = epilogue.weight_groups(part.rows);
            let size = [groups.div_ceil(TILE.0), self.tokens.div_ceil(TILE.1), 1];
            self.recorder.dispatch(self.device, kernel, &[&part.group, stage.many.1], size);
        }
    }
}

impl Gpu {
    fn tape(&mut self) -> (Tape<'_>, &Weights, &Buffers, &Config) {
        let Self { device, recorder, variants, batch, weights, buffers, config, .. } = self;
        (Tape { device, recorder, variants, tokens: batch.tokens }, weights, buffers, config)
    }

    /// Records what begins a batch: `batch.read` says where its ids are.
    pub(super) fn embed_ids(&mut self, batch: Batch) {
        self.batch = batch;
        self.recorder.begin(&self.device, &batch);
        let (tape, weights, buffers, config) = self.tape();
        let size = [(tape.tokens * config.width as u32 / 4).div_ceil(64), 1, 1];
        for part in &weights.embedding.parts {
            let groups = [&part.group, &buffers.embed];
            tape.recorder.dispatch(tape.device, Kernel::Embed(part.bits), &groups, size);
        }
    }

    /// Records final norm and head for `count` rows of the batch from `row` on.
    pub(super) fn head(&mut self, row: u32, count: u32) {
        let batch = Batch { row, tokens: count, ..self.batch };
        self.recorder.begin(&self.device, &batch);
        let (mut tape, weights, buffers, _) = self.tape();
        tape.tokens = count;
        tape.multiply(&Stage {
            site: Site::Head,
            matrix: weights.head(),
            one: &buffers.head,
            many: (&buffers.prepare_head, &buffers.to_logits),
        });
    }

    /// Pieces of attention that cover the batch's last token.
    pub(super) fn splits(position: usize, tokens: usize) -> u32 {
        (position + tokens).div_ceil(PIECE) as u32
    }

    /// The adapter it runs on.
    pub fn adapter(&self) -> &super::Adapter {
        self.device.adapter()
    }

    /// Bytes of every buffer.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// What decoding cost since the last reset.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// Ends the device, as a driver that resets does.
    pub fn destroy(&self) {
        self.device.device.destroy();
    }

    /// Counts from nothing again.
    pub fn reset_costs(&mut self) {
        self.costs = Costs::default();
    }

    /// The variant that runs, wherever it gave right numbers.
    pub fn variant(&self) -> Variant {
        self.variants.into_iter().find(|variant| *variant != Variant::PLAIN).unwrap_or(Variant::PLAIN)
    }
}

impl Backend for Gpu {
    fn name(&self) -> String {
        let adapter = self.device.adapter();
        let software = if adapter.software() { " (software)" } else { "" };
        format!("{}{software}", adapter.api())
    }

    fn context(&self) -> usize {
        self.context
    }

    fn max_batch(&self) -> usize {
        self.buffers.batch
    }

    fn embed(&mut self, tokens: &[u32], position: usize) {
        assert!(tokens.len() <= self.buffers.batch, "a batch has at most {} tokens", self.buffers.batch);
        assert!(position + tokens.len() <= self.context, "the batch fits the context");
        let read = self.buffers.prompt_at();
        let ids = super::weights::words(tokens);
        self.device.queue.write_buffer(&self.buffers.ids, u64::from(read) * 4, &ids);
        let splits = Self::splits(position, tokens.len());
        let (position, tokens) = (position as u32, tokens.len() as u32);
        self.embed_ids(Batch { position, tokens, read, splits, ..Batch::default() });
    }

    fn norm_qkv(&mut self, layer: usize) {
        let (mut tape, weights, buffers, _) = self.tape();
        let (matrix, io) = (&weights.layers[layer].qkv, &buffers.layers[layer]);
        tape.multiply(&Stage {
            site: Site::Qkv,
            matrix,
            one: &io.norm_qkv,
            many: (&io.prepare_attention, &buffers.to_qkv),
        });
    }

    fn rope_append(&mut self, layer: usize) {
        let (tape, _, buffers, config) = self.tape();
        let pairs = tape.tokens as usize * (config.query_width() + 2 * config.kv_width()) / 2;
        let size = [pairs.div_ceil(64) as u32, 1, 1];
        tape.recorder.dispatch(tape.device, Kernel::RopeAppend, &[&buffers.layers[layer].rope], size);
    }

    fn attend(&mut self, layer: usize) {
        let splits = self.batch.splits;
        let (tape, _, buffers, config) = self.tape();
        let size = [config.heads as u32, tape.tokens, splits];
        tape.recorder.dispatch(tape.device, Kernel::Attend, &[&buffers.layers[layer].attend], size);
    }

    fn output_residual(&mut self, layer: usize) {
        let (mut tape, weights, buffers, _) = self.tape();
        tape.multiply(&Stage {
            site: Site::Output,
            matrix: &weights.layers[layer].output,
            one: &buffers.output,
            many: (&buffers.prepare_pieces, &buffers.to_residual),
        });
    }

    fn norm_gate_up(&mut self, layer: usize) {
        let (mut tape, weights, buffers, _) = self.tape();
        let (matrix, io) = (&weights.layers[layer].gate_up, &buffers.layers[layer]);
        tape.multiply(&Stage {
            site: Site::GateUp,
            matrix,
            one: &io.norm_gate_up,
            many: (&io.prepare_ffn, &buffers.to_gate),
        });
    }

    fn down_residual(&mut self, layer: usize) {
        let (mut tape, weights, buffers, _) = self.tape();
        tape.multiply(&Stage {
            site: Site::Down,
            matrix: &weights.layers[layer].down,
            one: &buffers.down,
            many: (&buffers.prepare_gate, &buffers.to_residual),
        });
    }

    async fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        let vocabulary = self.config.vocabulary;
        out.resize(rows.len() * vocabulary, 0.0);
        if rows.is_empty() {
            self.recorder.submit(&self.device, None)?;
            // One batch computes while the next is recorded; more would only make Stop wait.
            return readback::done(&self.device).await;
        }
        for start in rows.clone().step_by(LOGIT_ROWS) {
            let count = LOGIT_ROWS.min(rows.end - start);
            self.head(start as u32, count as u32);
            let to = &mut out[(start - rows.start) * vocabulary..][..count * vocabulary];
            self.read_logits(to).await?;
        }
        Ok(())
    }
}

impl Gpu {
    async fn read_logits(&mut self, out: &mut [f32]) -> Result<()> {
        let most = (LOGIT_ROWS * self.config.vocabulary * 4) as u64;
        let (device, memory) = (&self.device, &mut self.memory);
        let readback = self.logits_out.get_or_insert_with(|| Readback::new(device, memory, most));
        let bytes = size_of_val(out) as u64;
        self.recorder.submit(device, Some((&self.buffers.logits, 0, &readback.buffer, bytes)))?;
        readback.ask();
        let take = &mut |view: &[u8]| {
            for (out, bytes) in out.iter_mut().zip(view.chunks_exact(4)) {
                *out = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        };
        readback.read(device, bytes, take).await
    }
}
