//! A batch's activations, the cache, and the bind groups that tie them to kernels: all made once at load.

use wgpu::{BindGroup, Buffer, BufferUsages};

use super::weights::{OpWeights, Weights};
use crate::error::{Error, Result};
use crate::gpu::device::Device;
use crate::gpu::geometry::{BLOCK, CANDIDATES, CHUNK, Heads, PARTIAL_TAIL, SPLIT};
use crate::gpu::memory::{Memory, bytes_of};
use crate::model::{Activations, Op, Plan, Prologue, Rotation, Spec, rope_angles};

/// Ids that a conversation's end may hold before older ones are overwritten; a batch of the prompt goes behind them.
pub(in crate::gpu) const RING: u32 = 128;

/// Rows of logits kept at a time.
pub(in crate::gpu) const LOGIT_ROWS: usize = 16;

/// The bind groups of one step of the plan.
pub(in crate::gpu) enum OpBindings {
    /// Of a step that is one kernel.
    Kernel(BindGroup),
    /// Of a projection.
    Project {
        /// One token: input, norm, output.
        one: BindGroup,
        /// Many tokens, prepared: input, norm, prepared values.
        prepare: BindGroup,
        /// And multiplied: prepared values, output.
        many: BindGroup,
    },
}

/// Buffers that are written from here, and bind groups of all.
pub(in crate::gpu) struct Buffers {
    /// Most tokens in a batch.
    pub(in crate::gpu) batch: usize,
    /// Chosen tokens, a ring of [`RING`], then a batch of the prompt.
    pub(in crate::gpu) ids: Buffer,
    pub(in crate::gpu) seen: Buffer,
    pub(in crate::gpu) logits: Buffer,
    pub(in crate::gpu) residual: Buffer,
    pub(in crate::gpu) qkv: Buffer,
    /// Attention's split-K partials, (tokens, splits, heads, head_dim + [`PARTIAL_TAIL`]).
    pub(in crate::gpu) partials: Buffer,
    pub(in crate::gpu) gate: Buffer,
    /// A product that is yet to be normed and added.
    pub(in crate::gpu) product: Buffer,
    /// Of every step.
    pub(in crate::gpu) ops: Vec<OpBindings>,
    pub(in crate::gpu) choice: BindGroup,
}

/// The product of these counts, in 64 bits: in 32, as WebAssembly's addresses have, a large one would wrap around.
fn bytes(counts: &[usize]) -> u64 {
    counts.iter().fold(1, |bytes: u64, count| bytes.saturating_mul(*count as u64))
}

/// Bytes of the larger activations, for a batch.
struct Sizes {
    qkv: u64,
    partials: u64,
    quants: u64,
    factors: u64,
}

impl Sizes {
    fn new(spec: &Spec, context: usize, batch: usize) -> Self {
        let splits = context.div_ceil(SPLIT as usize);
        let widest = spec.width.max(spec.ffn).max(spec.query_width());
        Self {
            qkv: bytes(&[batch, spec.query_width() + 2 * spec.kv_width(), 4]),
            partials: bytes(&[batch, splits, spec.heads, spec.head_dim + PARTIAL_TAIL as usize, 4]),
            quants: bytes(&[batch, widest, 4]),
            factors: bytes(&[batch, widest.div_ceil(BLOCK as usize), 8]),
        }
    }
}

/// Tokens of a batch: many on a GPU; few on a software adapter, where Stop would wait for them; as many as
/// every buffer fits a binding.
fn batch_size(device: &Device, spec: &Spec, context: usize) -> Result<usize> {
    let most = if device.adapter.software() { 32 } else { 256 };
    let limit = device.limits.max_storage_buffer_binding_size.min(device.limits.max_buffer_size);
    let fits = |batch: usize| {
        let sizes = Sizes::new(spec, context, batch);
        let largest = sizes.partials.max(sizes.quants).max(sizes.qkv);
        largest <= limit
    };
    let cache = cache_bytes(device, spec, context);
    let logits = bytes(&[LOGIT_ROWS, spec.vocabulary, 4]);
    let mut batch = most;
    while batch > 1 && !fits(batch) {
        batch /= 2;
    }
    if !fits(batch) || cache.max(logits) > limit {
        let cause = format!(
            "a context of {context} positions needs larger buffers than this GPU binds ({limit} bytes); choose a shorter context"
        );
        return Err(Error::Backend { op: "making room on the GPU", cause });
    }
    Ok(batch)
}

/// Bytes of one layer's cache.
fn cache_bytes(device: &Device, spec: &Spec, context: usize) -> u64 {
    bytes(&[2, spec.kv_width(), context, device.cache_element()])
}

/// Every buffer of activations, as its kernels know it.
struct Storage {
    residual: Buffer,
    qkv: Buffer,
    partials: Buffer,
    gate: Buffer,
    product: Buffer,
    values: Buffer,
    factors: Buffer,
    logits: Buffer,
    candidates: Buffer,
    ids: Buffer,
    seen: Buffer,
    /// Bound where a kernel's binding is not used.
    nothing: Buffer,
    /// One a rotation.
    angles: Vec<Buffer>,
    /// One a layer.
    caches: Vec<Buffer>,
}

impl Storage {
    fn new(device: &Device, memory: &mut Memory, plan: &Plan, context: usize, batch: usize) -> Self {
        let Plan { spec, ropes, .. } = plan;
        let sizes = Sizes::new(spec, context, batch);
        let waits = plan.ops().iter().any(|op| op.output() == Activations::Product);
        let mut storage = |label: &str, bytes: u64| {
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
            memory.buffer(device, label, bytes, usage)
        };
        let cache = cache_bytes(device, spec, context);
        Self {
            residual: storage("residual", bytes(&[batch, spec.width, 4])),
            qkv: storage("queries, keys, values", sizes.qkv),
            partials: storage("attention", sizes.partials),
            gate: storage("gate", bytes(&[batch, spec.ffn, 4])),
            product: storage("product", if waits { bytes(&[batch, spec.width, 4]) } else { 0 }),
            values: storage("prepared values", sizes.quants),
            factors: storage("factors", sizes.factors),
            logits: storage("logits", bytes(&[LOGIT_ROWS, spec.vocabulary, 4])),
            candidates: storage(
                "candidates",
                bytes(&[spec.vocabulary.div_ceil(CHUNK as usize), CANDIDATES as usize, 8]),
            ),
            ids: storage("ids", bytes(&[RING as usize + batch, 4])),
            seen: storage("seen", bytes(&[spec.vocabulary.div_ceil(32), 4])),
            nothing: storage("nothing", 16),
            angles: ropes.iter().map(|rope| storage("angles", bytes(&[context, rope.dims, 4]))).collect(),
            caches: (0..spec.layers.len()).map(|_| storage("cache", cache)).collect(),
        }
    }

    /// Ties a step to the buffers that it reads and writes.
    fn bindings(
        &self,
        device: &Device,
        memory: &mut Memory,
        plan: &Plan,
        op: &Op,
        weights: &OpWeights,
    ) -> OpBindings {
        let layouts = &device.layouts;
        let vectors = weights.vectors.as_ref().unwrap_or(&self.nothing);
        let output = self.output(op.output());
        match op {
            Op::Embed(_) => OpBindings::Kernel(device.bind(&layouts.read_write, &[&self.ids, output])),
            Op::RopeAppend(step) => {
                let rope_dim = step.rope.map_or(0, |rope| plan.ropes[rope].dims as u32);
                let heads = Heads { rope_dim, query_scale: step.query_scale };
                let heads = memory.parameters(device, "heads", &heads);
                let angles = step.rope.map_or(&self.nothing, |rope| &self.angles[rope]);
                let buffers = [&self.qkv, angles, &self.caches[step.layer], &heads, vectors];
                OpBindings::Kernel(device.bind(&layouts.rope, &buffers))
            }
            Op::AddNormed(_) => {
                let buffers = [&self.product, vectors, output];
                OpBindings::Kernel(device.bind(&layouts.read_read_write, &buffers))
            }
            Op::Attend { layer, .. } => {
                let buffers = [&self.qkv, &self.caches[*layer], output];
                OpBindings::Kernel(device.bind(&layouts.read_read_write, &buffers))
            }
            Op::Project(project) => {
                let input = match project.prologue {
                    Prologue::Norm => &self.residual,
                    Prologue::MergeAttention => &self.partials,
                    Prologue::Gated => &self.gate,
                };
                let prepared = [&self.values, &self.factors];
                OpBindings::Project {
                    one: device.bind(&layouts.read_read_write, &[input, vectors, output]),
                    prepare: device.bind(&layouts.prepare, &[input, vectors, prepared[0], prepared[1]]),
                    many: device.bind(&layouts.read_read_write, &[prepared[0], prepared[1], output]),
                }
            }
        }
    }

    /// The buffer that a step leaves its result in.
    fn output(&self, activations: Activations) -> &Buffer {
        match activations {
            Activations::Residual => &self.residual,
            Activations::Qkv | Activations::Queries => &self.qkv,
            Activations::Attended => &self.partials,
            Activations::Gated => &self.gate,
            Activations::Product => &self.product,
            Activations::Logits => &self.logits,
        }
    }
}

impl Buffers {
    /// `rotations`: see [`load_ropes`](crate::model::weights::load_ropes).
    ///
    /// # Errors
    /// The context is too large for the device's bindings.
    pub(in crate::gpu) fn new(
        device: &Device,
        memory: &mut Memory,
        plan: &Plan,
        context: usize,
        weights: &Weights,
        rotations: &[Rotation],
    ) -> Result<Self> {
        let batch = batch_size(device, &plan.spec, context)?;
        let storage = Storage::new(device, memory, plan, context, batch);
        for (buffer, rotation) in storage.angles.iter().zip(rotations) {
            let angles = rope_angles(rotation, 0..context);
            let words: Vec<u32> = angles.flat_map(|(cos, sin)| [cos.to_bits(), sin.to_bits()]).collect();
            device.queue.write_buffer(buffer, 0, &bytes_of(&words));
        }
        let of_op = |(op, weights): (&Op, &OpWeights)| storage.bindings(device, memory, plan, op, weights);
        Ok(Self {
            batch,
            ops: plan.ops().iter().zip(&weights.0).map(of_op).collect(),
            choice: device.bind(
                &device.layouts.choice,
                &[&storage.logits, &storage.candidates, &storage.ids, &storage.seen],
            ),
            ids: storage.ids,
            seen: storage.seen,
            logits: storage.logits,
            residual: storage.residual,
            qkv: storage.qkv,
            partials: storage.partials,
            gate: storage.gate,
            product: storage.product,
        })
    }
}
