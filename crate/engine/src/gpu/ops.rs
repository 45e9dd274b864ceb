//! The steps of a plan, recorded for the GPU.

use std::ops::Range;

use super::geometry::{Batch, GROUP_ROWS, MATMUL_GROUPS, MATMUL_TOKENS, SPLIT, WORKGROUP};
use super::memory::bytes_of;
use super::pipeline::kernel::Kernel;
use super::readback::{self, Readback, words_of};
use super::state::buffers::{LOGIT_ROWS, OpBindings, RING};
use super::state::gpu::Gpu;
use crate::error::Result;
use crate::model::{Backend, Op, Plan, Token, run_ops};

impl Gpu {
    /// Records the beginning of a batch: `batch.read` says where its ids are.
    pub(super) fn begin_batch(&mut self, batch: Batch) {
        self.batch = batch;
        self.recorder.begin(&self.device, &batch);
    }

    /// Records final norm and head for `count` rows of the batch from `row` on.
    pub(super) fn head(&mut self, row: u32, count: u32) {
        let batch = Batch { row, tokens: count, ..self.batch };
        self.recorder.begin(&self.device, &batch);
        self.record(self.plan.head(), count);
    }

    /// Splits of attention that cover the batch's last token.
    pub(super) fn splits(position: usize, tokens: usize) -> u32 {
        ((position + tokens) as u32).div_ceil(SPLIT)
    }

    /// Records one token's way through all layers: its id stands at `read`.
    pub(super) fn record_token(&mut self, position: usize, read: u32) {
        let splits = Self::splits(position, 1);
        self.begin_batch(Batch { position: position as u32, tokens: 1, read, splits, ..Batch::default() });
        let body = self.plan.body();
        run_ops(self, body);
    }

    /// Records one step for `tokens` rows of the batch.
    pub(super) fn record(&mut self, index: usize, tokens: u32) {
        let spec = &self.plan.spec;
        match (&self.plan.ops()[index], &self.buffers.ops[index]) {
            (Op::Embed(_), OpBindings::Kernel(bindings)) => {
                let size = [(tokens * spec.width as u32 / 4).div_ceil(WORKGROUP), 1, 1];
                for part in self.weights.matrix(index).into_iter().flat_map(|matrix| &matrix.parts) {
                    let groups = [&part.group, bindings];
                    self.recorder.dispatch(&self.device, Kernel::Embed(part.packing), &groups, size);
                }
            }
            (op, OpBindings::Kernel(bindings)) => {
                let Some(kernel) = Kernel::without_matrices(op) else { return };
                let size = match kernel {
                    Kernel::RopeAppend { .. } => [(spec.heads + 2 * spec.kv_heads) as u32, tokens, 1],
                    Kernel::Attend(_) => [spec.heads as u32, tokens, self.batch.splits],
                    _ => [tokens, 1, 1],
                };
                self.recorder.dispatch(&self.device, kernel, &[bindings], size);
            }
            (Op::Project(project), OpBindings::Project { one, prepare, many }) => {
                let Self { device, recorder, variants, weights, .. } = self;
                let parts = weights.matrix(index).into_iter().flat_map(|matrix| &matrix.parts);
                let variant = variants[project.projection as usize];
                if tokens == 1 {
                    for part in parts {
                        let kernel = Kernel::Matvec(part.packing, project.prologue, part.finish, variant);
                        let groups = variant.lanes / GROUP_ROWS * part.finish.groups(variant.rows);
                        let size = [part.finish.weight_groups(part.rows).div_ceil(groups), 1, 1];
                        recorder.dispatch(device, kernel, &[&part.group, one], size);
                    }
                    return;
                }
                let mut prepared = None;
                for part in parts {
                    let quantizes = part.packing.quantizes(variant.dot);
                    if prepared != Some(quantizes) {
                        let kernel = Kernel::Prepare(project.prologue, quantizes);
                        recorder.dispatch(device, kernel, &[&part.group, prepare], [tokens, 1, 1]);
                        prepared = Some(quantizes);
                    }
                    let kernel = Kernel::Matmul(part.packing, part.finish, variant.dot);
                    let groups = part.finish.weight_groups(part.rows).div_ceil(MATMUL_GROUPS);
                    let size = [groups, tokens.div_ceil(MATMUL_TOKENS), 1];
                    recorder.dispatch(device, kernel, &[&part.group, many], size);
                }
            }
            (op, _) => unreachable!("{} has the bindings of another step", op.kind()),
        }
    }

    async fn read_logits(&mut self, out: &mut [f32]) -> Result<()> {
        let most = (LOGIT_ROWS * self.plan.spec.vocabulary * 4) as u64;
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

impl Backend for Gpu {
    fn name(&self) -> String {
        let adapter = self.device.adapter();
        let software = if adapter.software() { " (software)" } else { "" };
        format!("{}{software}", adapter.api())
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn context(&self) -> usize {
        self.context
    }

    fn max_batch(&self) -> usize {
        self.buffers.batch
    }

    fn begin(&mut self, tokens: &[Token], position: usize) {
        assert!(tokens.len() <= self.buffers.batch, "a batch has at most {} tokens", self.buffers.batch);
        assert!(position + tokens.len() <= self.context, "the batch fits the context");
        let ids: Vec<u32> = tokens.iter().map(|token| token.id).collect();
        self.device.queue.write_buffer(&self.buffers.ids, u64::from(RING) * 4, &bytes_of(&ids));
        self.begin_batch(Batch {
            position: position as u32,
            tokens: tokens.len() as u32,
            read: RING,
            splits: Self::splits(position, tokens.len()),
            ..Batch::default()
        });
    }

    fn run(&mut self, op: usize) {
        self.record(op, self.batch.tokens);
    }

    async fn logits(&mut self, rows: Range<usize>, out: &mut Vec<f32>) -> Result<()> {
        let vocabulary = self.plan.spec.vocabulary;
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
