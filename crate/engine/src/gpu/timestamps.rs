//! Timestamps around every dispatch of a submit.

use wgpu::{Buffer, BufferUsages, CommandEncoder, ComputePass, QuerySet};

use super::device::Device;
use super::memory::Memory;
use super::pipeline::kernel::Kernel;

/// Most dispatches that are timed in one submit.
const MOST: u32 = 2_000;

/// Bytes of the timestamps of all dispatches.
pub(super) const BYTES: u64 = 2 * MOST as u64 * 8;

/// Queries for the beginning and the end of every dispatch.
pub(super) struct Timestamps {
    queries: QuerySet,
    pub(super) resolved: Buffer,
    pub(super) kernels: Vec<Kernel>,
}

impl Timestamps {
    pub(super) fn new(device: &Device, memory: &mut Memory) -> Option<Self> {
        if !device.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let queries = device.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2 * MOST,
        });
        let usage = BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC;
        let resolved = memory.buffer(device, "timestamps", BYTES, usage);
        Some(Self { queries, resolved, kernels: Vec::new() })
    }

    /// A pass for one dispatch.
    pub(super) fn pass(&mut self, encoder: &mut CommandEncoder, kernel: Kernel) -> ComputePass<'static> {
        let at = (self.kernels.len() as u32).min(MOST - 1) * 2;
        self.kernels.push(kernel);
        let writes = wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(at),
            end_of_pass_write_index: Some(at + 1),
        };
        let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes: Some(writes) };
        encoder.begin_compute_pass(&descriptor).forget_lifetime()
    }

    pub(super) fn resolve(&self, encoder: &mut CommandEncoder) {
        let count = (self.kernels.len() as u32).min(MOST) * 2;
        encoder.resolve_query_set(&self.queries, 0..count, &self.resolved, 0);
    }
}
