//! Recording dispatches: one compute pass, one submit, parameters in one arena.

use wgpu::{BindGroup, Buffer, BufferUsages, CommandEncoder, ComputePass};

use super::device::Device;
use super::geometry::{Batch, Model, Words};
use super::memory::Memory;
use super::pipeline::kernel::Kernel;
use super::timestamps::Timestamps;
use crate::error::Result;
use crate::model::Plan;

/// Batches that one submit may hold.
pub(super) const SLOTS: u32 = 32;

/// Bytes from one batch's parameters to the next: the largest alignment an adapter may ask for.
const SLOT_BYTES: u32 = 256;

const _: () = assert!(size_of::<Batch>() <= SLOT_BYTES as usize);

/// Commands recorded and not yet submitted.
struct Recording {
    encoder: CommandEncoder,
    pass: Option<ComputePass<'static>>,
    /// Parameters of the batches so far, one slot each.
    slots: Vec<u8>,
    dispatches: u64,
}

/// Records dispatches and submits them.
pub(super) struct Recorder {
    arena: Buffer,
    batch_group: BindGroup,
    model: Model,
    recording: Option<Recording>,
    /// Kept between submits, so that the token loop allocates nothing of it.
    spare: Vec<u8>,
    /// Times every dispatch when there.
    pub(super) timestamps: Option<Timestamps>,
}

impl Recorder {
    pub(super) fn new(device: &Device, memory: &mut Memory, plan: &Plan, context: usize) -> Self {
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let arena = memory.buffer(device, "batches", u64::from(SLOTS * SLOT_BYTES), usage);
        let spec = &plan.spec;
        let model = Model {
            width: spec.width as u32,
            head_dim: spec.head_dim as u32,
            heads: spec.heads as u32,
            kv_heads: spec.kv_heads as u32,
            positions: context as u32,
            vocabulary: spec.vocabulary as u32,
            eps: spec.norm.eps,
            embedding_scale: spec.embedding_scale,
        };
        let batch_group = device.batch_group(&arena);
        Self { arena, batch_group, model, recording: None, spare: Vec::new(), timestamps: None }
    }

    /// Parameters of the dispatches that follow.
    pub(super) fn begin(&mut self, device: &Device, batch: &Batch) {
        let recording = self.recording.get_or_insert_with(|| Recording {
            encoder: device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: None }),
            pass: None,
            slots: std::mem::take(&mut self.spare),
            dispatches: 0,
        });
        assert!(
            recording.slots.len() < (SLOTS * SLOT_BYTES) as usize,
            "a submit has at most {SLOTS} batches"
        );
        let start = recording.slots.len();
        Batch { model: self.model, ..*batch }.put(&mut recording.slots);
        recording.slots.resize(start + SLOT_BYTES as usize, 0);
    }

    /// One dispatch; `groups` follow group 0.
    pub(super) fn dispatch(
        &mut self,
        device: &Device,
        kernel: Kernel,
        groups: &[&BindGroup],
        size: [u32; 3],
    ) {
        let Some(recording) = &mut self.recording else { return };
        let offset = recording.slots.len() as u32 - SLOT_BYTES;
        let encoder = &mut recording.encoder;
        if let Some(timestamps) = &mut self.timestamps {
            // Timestamps stand at the ends of passes only, so a profile has a pass a dispatch.
            recording.pass = None;
            recording.pass = Some(timestamps.pass(encoder, kernel));
        }
        let pass = recording.pass.get_or_insert_with(|| {
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes: None };
            encoder.begin_compute_pass(&descriptor).forget_lifetime()
        });
        pass.set_pipeline(device.pipeline(kernel));
        pass.set_bind_group(0, &self.batch_group, &[offset]);
        for (group, index) in groups.iter().zip(1..) {
            pass.set_bind_group(index, *group, &[]);
        }
        pass.dispatch_workgroups(size[0], size[1], size[2]);
        recording.dispatches += 1;
    }

    /// Ends the pass, copies (from, offset, to, bytes) and submits. Returns how many dispatches there were.
    pub(super) fn submit(
        &mut self,
        device: &Device,
        copy: Option<(&Buffer, u64, &Buffer, u64)>,
    ) -> Result<u64> {
        let Some(mut recording) = self.recording.take() else { return Ok(0) };
        recording.pass = None;
        if let Some(timestamps) = &mut self.timestamps {
            timestamps.resolve(&mut recording.encoder);
        }
        if let Some((from, offset, to, bytes)) = copy {
            recording.encoder.copy_buffer_to_buffer(from, offset, to, 0, bytes);
        }
        device.queue.write_buffer(&self.arena, 0, &recording.slots);
        device.queue.submit([recording.encoder.finish()]);
        recording.slots.clear();
        self.spare = recording.slots;
        device.first_error.check()?;
        Ok(recording.dispatches)
    }
}

impl Device {
    fn batch_group(&self, arena: &Buffer) -> BindGroup {
        let slot = wgpu::BufferBinding {
            buffer: arena,
            offset: 0,
            size: std::num::NonZeroU64::new(SLOT_BYTES.into()),
        };
        let entries = [wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(slot) }];
        let layout = &self.layouts.batch;
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }
}
