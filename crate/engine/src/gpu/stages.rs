//! The stages of [`Backend`], recorded for the GPU.

use std::ops::Range;

use wgpu::BindGroup;

use super::device::Device;
use super::geometry::{Batch, GROUP_ROWS, MATMUL_GROUPS, MATMUL_TOKENS, SPLIT, WORKGROUP};
use super::memory::bytes_of;
use super::pipeline::kernel::Kernel;
use super::pipeline::projection::{Projection, Variants};
use super::readback::{self, Readback, words_of};
use super::record::Recorder;
use super::state::buffers::{Buffers, LOGIT_ROWS};
use super::state::gpu::Gpu;
use super::state::weights::{Matrix, Weights};
use crate::error::Result;
use crate::model::{Backend, Config, layers};

/// A multiplication: its input's bind groups for one token and for many, and what happens on both ends.
struct Product<'a> {
    projection: Projection,
    matrix: &'a Matrix,
    one: &'a BindGroup,
    /// (preparing the batch, multiplying it).
    many: (&'a BindGroup, &'a BindGroup),
}

/// Where dispatches go: the parts of [`Gpu`] that a stage needs beside the weights.
struct Encoder<'a> {
    device: &'a Device,
    recorder: &'a mut Recorder,
    variants: &'a Variants,
    tokens: u32,
}

impl Encoder<'_> {
    fn multiply(&mut self, product: &Product) {
        if self.tokens == 1 {
            self.matvec(product);
        } else {
            self.matmul(product);
        }
    }

    fn matvec(&mut self, product: &Product) {
        let variant = self.variants[product.projection as usize];
        let (prologue, epilogue) = product.projection.ends();
        for part in &product.matrix.parts {
            let kernel = Kernel::Matvec(part.bits, prologue, epilogue, variant);
            let per_workgroup = variant.lanes / GROUP_ROWS * epilogue.groups(variant.rows);
            let size = [epilogue.weight_groups(part.rows).div_ceil(per_workgroup), 1, 1];
            self.recorder.dispatch(self.device, kernel, &[&part.group, product.one], size);
        }
    }

    fn matmul(&mut self, product: &Product) {
        let dot = self.variants[product.projection as usize].dot;
        let (prologue, epilogue) = product.projection.ends();
        let mut prepared = None;
        for part in &product.matrix.parts {
            let quantizes = part.bits.quantizes(dot);
            if prepared != Some(quantizes) {
                let kernel = Kernel::Prepare(prologue, quantizes);
                self.recorder.dispatch(
                    self.device,
                    kernel,
                    &[&part.group, product.many.0],
                    [self.tokens, 1, 1],
                );
                prepared = Some(quantizes);
            }
            let kernel = Kernel::Matmul(part.bits, epilogue, dot);
            let groups = epilogue.weight_groups(part.rows);
            let size = [groups.div_ceil(MATMUL_GROUPS), self.tokens.div_ceil(MATMUL_TOKENS), 1];
            self.recorder.dispatch(self.device, kernel, &[&part.group, product.many.1], size);
        }
    }
}

impl Gpu {
    fn encoder(&mut self) -> (Encoder<'_>, &Weights, &Buffers, &Config) {
        let Self { device, recorder, variants, batch, weights, buffers, config, .. } = self;
        (Encoder { device, recorder, variants, tokens: batch.tokens }, weights, buffers, config)
    }

    /// Records what begins a batch: `batch.read` says where its ids are.
    pub(super) fn embed_ids(&mut self, batch: Batch) {
        self.batch = batch;
        self.recorder.begin(&self.device, &batch);
        let (encoder, weights, buffers, config) = self.encoder();
        let size = [(encoder.tokens * config.width as u32 / 4).div_ceil(WORKGROUP), 1, 1];
        for part in &weights.embedding.parts {
            let groups = [&part.group, &buffers.embed];
            encoder.recorder.dispatch(encoder.device, Kernel::Embed(part.bits), &groups, size);
        }
    }

    /// Records final norm and head for `count` rows of the batch from `row` on.
    pub(super) fn head(&mut self, row: u32, count: u32) {
        let batch = Batch { row, tokens: count, ..self.batch };
        self.recorder.begin(&self.device, &batch);
        let (mut encoder, weights, buffers, _) = self.encoder();
        encoder.tokens = count;
        encoder.multiply(&Product {
            projection: Projection::Head,
            matrix: weights.head(),
            one: &buffers.head,
            many: (&buffers.prepare_head, &buffers.to_logits),
        });
    }

    /// Splits of attention that cover the batch's last token.
    pub(super) fn splits(position: usize, tokens: usize) -> u32 {
        ((position + tokens) as u32).div_ceil(SPLIT)
    }

    /// Records one token's way through all layers: its id stands at `read`.
    pub(super) fn record_token(&mut self, position: usize, read: u32) {
        let splits = Self::splits(position, 1);
        self.embed_ids(Batch { position: position as u32, tokens: 1, read, splits, ..Batch::default() });
        let count = self.config.layers;
        layers(self, count);
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
        let ids = bytes_of(tokens);
        self.device.queue.write_buffer(&self.buffers.ids, u64::from(read) * 4, &ids);
        let splits = Self::splits(position, tokens.len());
        self.embed_ids(Batch {
            position: position as u32,
            tokens: tokens.len() as u32,
            read,
            splits,
            ..Batch::default()
        });
    }

    fn norm_qkv(&mut self, layer: usize) {
        let (mut encoder, weights, buffers, _) = self.encoder();
        let bindings = &buffers.layers[layer];
        encoder.multiply(&Product {
            projection: Projection::Qkv,
            matrix: &weights.layers[layer].qkv,
            one: &bindings.norm_qkv,
            many: (&bindings.prepare_attention, &buffers.to_qkv),
        });
    }

    fn rope_append(&mut self, layer: usize) {
        let (encoder, _, buffers, config) = self.encoder();
        let pairs = encoder.tokens as usize * (config.query_width() + 2 * config.kv_width()) / 2;
        let size = [(pairs as u32).div_ceil(WORKGROUP), 1, 1];
        encoder.recorder.dispatch(encoder.device, Kernel::RopeAppend, &[&buffers.layers[layer].rope], size);
    }

    fn attend(&mut self, layer: usize) {
        let splits = self.batch.splits;
        let (encoder, _, buffers, config) = self.encoder();
        let size = [config.heads as u32, encoder.tokens, splits];
        encoder.recorder.dispatch(encoder.device, Kernel::Attend, &[&buffers.layers[layer].attend], size);
    }

    fn output_residual(&mut self, layer: usize) {
        let (mut encoder, weights, buffers, _) = self.encoder();
        encoder.multiply(&Product {
            projection: Projection::Output,
            matrix: &weights.layers[layer].output,
            one: &buffers.output,
            many: (&buffers.prepare_partials, &buffers.to_residual),
        });
    }

    fn norm_gate_up(&mut self, layer: usize) {
        let (mut encoder, weights, buffers, _) = self.encoder();
        let bindings = &buffers.layers[layer];
        encoder.multiply(&Product {
            projection: Projection::GateUp,
            matrix: &weights.layers[layer].gate_up,
            one: &bindings.norm_gate_up,
            many: (&bindings.prepare_ffn, &buffers.to_gate),
        });
    }

    fn down_residual(&mut self, layer: usize) {
        let (mut encoder, weights, buffers, _) = self.encoder();
        encoder.multiply(&Product {
            projection: Projection::Down,
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
        let device = &self.device;
        let memory = &mut self.memory;
        let readback = self.logits_out.get_or_insert_with(|| Readback::new(device, memory, most));
        let bytes = size_of_val(out) as u64;
        self.recorder.submit(device, Some((&self.buffers.logits, 0, &readback.buffer, bytes)))?;
        readback.ask();
        let take = &mut |view: &[u8]| {
            for (out, word) in out.iter_mut().zip(words_of(view)) {
                *out = f32::from_bits(word);
            }
        };
        readback.read(device, bytes, take).await
    }
}
