//! A batch's activations, the cache, and the bind groups that tie them to kernels: all made once at load.

use wgpu::{BindGroup, Buffer, BufferUsages};

use super::weights::NormWeights;
use crate::error::{Error, Result};
use crate::gpu::device::Device;
use crate::gpu::geometry::{BLOCK, CANDIDATES, CHUNK, PARTIAL_TAIL, SPLIT};
use crate::gpu::memory::{Memory, bytes_of};
use crate::model::Config;

/// Ids that a conversation's end may hold before older ones are overwritten.
pub(in crate::gpu) const RING: u32 = 128;

/// Rows of logits kept at a time.
pub(in crate::gpu) const LOGIT_ROWS: usize = 16;

/// Bind groups of one layer.
pub(in crate::gpu) struct LayerBindings {
    pub(in crate::gpu) norm_qkv: BindGroup,
    pub(in crate::gpu) prepare_attention: BindGroup,
    pub(in crate::gpu) rope: BindGroup,
    pub(in crate::gpu) attend: BindGroup,
    pub(in crate::gpu) norm_gate_up: BindGroup,
    pub(in crate::gpu) prepare_ffn: BindGroup,
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
    pub(in crate::gpu) embed: BindGroup,
    pub(in crate::gpu) layers: Vec<LayerBindings>,
    pub(in crate::gpu) output: BindGroup,
    pub(in crate::gpu) prepare_partials: BindGroup,
    pub(in crate::gpu) down: BindGroup,
    pub(in crate::gpu) prepare_gate: BindGroup,
    pub(in crate::gpu) to_qkv: BindGroup,
    pub(in crate::gpu) to_residual: BindGroup,
    pub(in crate::gpu) to_gate: BindGroup,
    pub(in crate::gpu) to_logits: BindGroup,
    pub(in crate::gpu) head: BindGroup,
    pub(in crate::gpu) prepare_head: BindGroup,
    pub(in crate::gpu) choice: BindGroup,
}

/// Bytes of the larger activations, for a batch.
struct Sizes {
    qkv: usize,
    partials: usize,
    quants: usize,
    widest: usize,
}

impl Sizes {
    fn new(config: &Config, context: usize, batch: usize) -> Self {
        let splits = context.div_ceil(SPLIT as usize);
        let widest = config.width.max(config.ffn).max(config.query_width());
        Self {
            qkv: batch * (config.query_width() + 2 * config.kv_width()) * 4,
            partials: batch * splits * config.heads * (config.head_dim + PARTIAL_TAIL as usize) * 4,
            quants: batch * widest * 4,
            widest,
        }
    }
}

/// Tokens of a batch: many on a GPU; few on a software adapter, where Stop would wait for them; as many as
/// every buffer fits a binding.
fn batch_size(device: &Device, config: &Config, context: usize) -> Result<usize> {
    let most = if device.adapter.software() { 32 } else { 256 };
    let limit = device.limits.max_storage_buffer_binding_size.min(device.limits.max_buffer_size);
    let fits = |batch: usize| {
        let sizes = Sizes::new(config, context, batch);
        let largest = sizes.partials.max(sizes.quants).max(sizes.qkv);
        largest as u64 <= limit
    };
    let cache = cache_bytes(device, config, context);
    let logits = LOGIT_ROWS * config.vocabulary * 4;
    let mut batch = most;
    while batch > 1 && !fits(batch) {
        batch /= 2;
    }
    if !fits(batch) || cache.max(logits as u64) > limit {
        let cause = format!(
            "a context of {context} positions needs larger buffers than this GPU binds ({limit} bytes); choose a shorter context"
        );
        return Err(Error::Backend { op: "making room on the GPU", cause });
    }
    Ok(batch)
}

/// Bytes of one layer's cache.
fn cache_bytes(device: &Device, config: &Config, context: usize) -> u64 {
    2 * (config.kv_width() * context * device.cache_element()) as u64
}

/// Every buffer of activations, as its kernels know it.
struct Storage {
    residual: Buffer,
    qkv: Buffer,
    partials: Buffer,
    gate: Buffer,
    values: Buffer,
    factors: Buffer,
    logits: Buffer,
    candidates: Buffer,
    ids: Buffer,
    seen: Buffer,
    /// Bound where a kernel's binding is not used.
    nothing: Buffer,
    angles: Buffer,
    /// One a layer.
    caches: Vec<Buffer>,
}

impl Storage {
    fn new(device: &Device, memory: &mut Memory, config: &Config, context: usize, batch: usize) -> Self {
        let sizes = Sizes::new(config, context, batch);
        let mut storage = |label: &str, bytes: usize| {
            let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
            memory.buffer(device, label, bytes as u64, usage)
        };
        let cache = cache_bytes(device, config, context) as usize;
        Self {
            residual: storage("residual", batch * config.width * 4),
            qkv: storage("queries, keys, values", sizes.qkv),
            partials: storage("attention", sizes.partials),
            gate: storage("gate", batch * config.ffn * 4),
            values: storage("prepared values", sizes.quants),
            factors: storage("factors", batch * sizes.widest.div_ceil(BLOCK as usize) * 8),
            logits: storage("logits", LOGIT_ROWS * config.vocabulary * 4),
            candidates: storage(
                "candidates",
                config.vocabulary.div_ceil(CHUNK as usize) * CANDIDATES as usize * 8,
            ),
            ids: storage("ids", (RING as usize + batch) * 4),
            seen: storage("seen", config.vocabulary.div_ceil(32) * 4),
            nothing: storage("nothing", 16),
            angles: storage("angles", context * config.rope_dim * 4),
            caches: (0..config.layers).map(|_| storage("cache", cache)).collect(),
        }
    }
}

impl Buffers {
    /// # Errors
    /// The context is too large for the device's bindings.
    pub(in crate::gpu) fn new(
        device: &Device,
        memory: &mut Memory,
        config: &Config,
        context: usize,
        norms: &NormWeights,
        angles: &[(f32, f32)],
    ) -> Result<Self> {
        let batch = batch_size(device, config, context)?;
        let storage = Storage::new(device, memory, config, context, batch);
        let words: Vec<u32> = angles.iter().flat_map(|(cos, sin)| [cos.to_bits(), sin.to_bits()]).collect();
        device.queue.write_buffer(&storage.angles, 0, &bytes_of(&words));
        Ok(Self::bind(device, batch, storage, norms))
    }

    fn bind(device: &Device, batch: usize, s: Storage, norms: &NormWeights) -> Self {
        let rrw = |buffers: &[&Buffer]| device.bind(&device.layouts.read_read_write, buffers);
        let prepare = |from: &Buffer, norm: &Buffer| {
            device.bind(&device.layouts.prepare, &[from, norm, &s.values, &s.factors])
        };
        let layers = norms.layers.iter().zip(&s.caches).map(|((attention, ffn), cache)| LayerBindings {
            norm_qkv: rrw(&[&s.residual, attention, &s.qkv]),
            prepare_attention: prepare(&s.residual, attention),
            rope: device.bind(&device.layouts.rope, &[&s.qkv, &s.angles, cache]),
            attend: rrw(&[&s.qkv, cache, &s.partials]),
            norm_gate_up: rrw(&[&s.residual, ffn, &s.gate]),
            prepare_ffn: prepare(&s.residual, ffn),
        });
        Self {
            batch,
            embed: device.bind(&device.layouts.read_write, &[&s.ids, &s.residual]),
            layers: layers.collect(),
            output: rrw(&[&s.partials, &s.nothing, &s.residual]),
            prepare_partials: prepare(&s.partials, &s.nothing),
            down: rrw(&[&s.gate, &s.nothing, &s.residual]),
            prepare_gate: prepare(&s.gate, &s.nothing),
            to_qkv: rrw(&[&s.values, &s.factors, &s.qkv]),
            to_residual: rrw(&[&s.values, &s.factors, &s.residual]),
            to_gate: rrw(&[&s.values, &s.factors, &s.gate]),
            to_logits: rrw(&[&s.values, &s.factors, &s.logits]),
            head: rrw(&[&s.residual, &norms.last, &s.logits]),
            prepare_head: prepare(&s.residual, &norms.last),
            choice: device.bind(&device.layouts.choice, &[&s.logits, &s.candidates, &s.ids, &s.seen]),
            ids: s.ids,
            seen: s.seen,
            logits: s.logits,
            residual: s.residual,
            qkv: s.qkv,
            partials: s.partials,
            gate: s.gate,
        }
    }

    /// Where in `ids` a batch of the prompt goes.
    pub(in crate::gpu) fn prompt_at(&self) -> u32 {
        RING
    }
}
