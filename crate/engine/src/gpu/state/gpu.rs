//! The GPU backend as data: weights, buffers, what is being recorded, and what is on its way.

use std::sync::Arc;

use super::buffers::Buffers;
use super::costs::Costs;
use super::queue::DecodeQueue;
use super::weights::Weights;
use crate::gpu::adapter::Adapter;
use crate::gpu::device::Device;
use crate::gpu::geometry::Batch;
use crate::gpu::memory::Memory;
use crate::gpu::pipeline::projection::Variants;
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
    pub(in crate::gpu) costs: Costs,
    /// Logits on their way back; made when first wanted.
    pub(in crate::gpu) logits_out: Option<Readback>,
    pub(in crate::gpu) memory: Memory,
    /// The batch that is being recorded.
    pub(in crate::gpu) batch: Batch,
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

    /// The cost of decoding since the last reset.
    pub fn costs(&self) -> Costs {
        self.costs
    }

    /// Counts from nothing again.
    pub fn reset_costs(&mut self) {
        self.costs = Costs::default();
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
