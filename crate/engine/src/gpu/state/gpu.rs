//! The GPU backend as data: weights, buffers, what is being recorded, and what is on its way.

use std::sync::Arc;

use super::buffers::Buffers;
use super::queue::DecodeQueue;
use super::weights::Weights;
use crate::gpu::adapter::Adapter;
use crate::gpu::device::Device;
use crate::gpu::geometry::Batch;
use crate::gpu::memory::Memory;
use crate::gpu::pipeline::kernel::Variants;
use crate::gpu::pipeline::variant::Variant;
use crate::gpu::readback::Readback;
use crate::gpu::record::Recorder;
use crate::model::Plan;

/// The GPU backend: weights, cache, and everything a token needs, made once.
pub struct Gpu {
    pub(in crate::gpu) device: Device,
    pub(in crate::gpu) plan: Arc<Plan>,
    pub(in crate::gpu) context: usize,
    /// A projection whose kernel gave wrong numbers runs its plain variant alone.
    pub(in crate::gpu) variants: Variants,
    pub(in crate::gpu) weights: Weights,
    pub(in crate::gpu) buffers: Buffers,
    pub(in crate::gpu) recorder: Recorder,
    pub(in crate::gpu) queue: DecodeQueue,
    pub(in crate::gpu) counters: Counters,
    /// Logits on their way back; made when first wanted.
    pub(in crate::gpu) logits_out: Option<Readback>,
    pub(in crate::gpu) memory: Memory,
    /// The batch that is being recorded.
    pub(in crate::gpu) batch: Batch,
}

/// The work of decoding on the device, counted since the last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Tokens chosen on the device.
    pub tokens: u64,
    /// Kernels dispatched for them.
    pub dispatches: u64,
    /// Compute passes.
    pub passes: u64,
    /// Submits.
    pub submits: u64,
    /// Bytes read back.
    pub readback_bytes: u64,
}

impl Gpu {
    /// The adapter it runs on.
    pub fn adapter(&self) -> &Adapter {
        self.device.adapter()
    }

    /// Bytes of every buffer.
    pub fn memory_bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// The work of decoding since the last reset.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Counts from nothing again.
    pub fn reset_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// Ends the device, as a driver that resets does.
    pub fn destroy(&self) {
        self.device.device.destroy();
    }

    /// The variant that runs, wherever it gave right numbers.
    pub fn variant(&self) -> Variant {
        self.variants.into_iter().find(|variant| *variant != Variant::PLAIN).unwrap_or(Variant::PLAIN)
    }
}
