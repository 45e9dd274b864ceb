//! The shapes of bind groups.

use wgpu::{BindGroupLayout, BufferBindingType, ShaderStages};

/// The shapes of bind groups.
pub(in crate::gpu) struct Layouts {
    /// Group 0: the batch, by dynamic offset.
    pub(in crate::gpu) batch: BindGroupLayout,
    pub(in crate::gpu) weights: BindGroupLayout,
    pub(in crate::gpu) read_read_write: BindGroupLayout,
    pub(in crate::gpu) read_write: BindGroupLayout,
    pub(in crate::gpu) prepare: BindGroupLayout,
    pub(in crate::gpu) rope: BindGroupLayout,
    pub(in crate::gpu) choice: BindGroupLayout,
}

const READ: BufferBindingType = BufferBindingType::Storage { read_only: true };
const WRITE: BufferBindingType = BufferBindingType::Storage { read_only: false };

impl Layouts {
    pub(in crate::gpu) fn new(device: &wgpu::Device) -> Self {
        let layout = |types: &[BufferBindingType], dynamic: bool| {
            let entry = |(index, ty): (usize, &BufferBindingType)| wgpu::BindGroupLayoutEntry {
                binding: index as u32,
                visibility: ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: *ty,
                    has_dynamic_offset: dynamic && index == 0,
                    min_binding_size: None,
                },
                count: None,
            };
            let entries: Vec<_> = types.iter().enumerate().map(entry).collect();
            device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
        };
        Self {
            batch: layout(&[READ], true),
            weights: layout(&[READ, READ, READ], false),
            read_read_write: layout(&[READ, READ, WRITE], false),
            read_write: layout(&[READ, WRITE], false),
            prepare: layout(&[READ, READ, WRITE, WRITE], false),
            rope: layout(&[WRITE, READ, WRITE, READ, READ], false),
            choice: layout(&[READ, WRITE, WRITE, WRITE], false),
        }
    }
}
