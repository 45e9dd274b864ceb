//! Buffers on the device, counted, and given back when they are no longer needed.

use wgpu::{Buffer, BufferUsages};

use super::device::Device;
use super::geometry::Words;

/// Buffers that live as long as this does.
#[derive(Default)]
pub(super) struct Memory {
    buffers: Vec<Buffer>,
    bytes: u64,
}

impl Memory {
    /// A new buffer of at least `bytes`, filled with zeros.
    pub(super) fn buffer(&mut self, device: &Device, label: &str, bytes: u64, usage: BufferUsages) -> Buffer {
        let size = bytes.next_multiple_of(16).max(16);
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let buffer = device.device.create_buffer(&descriptor);
        self.bytes += size;
        self.buffers.push(buffer.clone());
        buffer
    }

    /// A new buffer that holds the parameters of kernels.
    pub(super) fn parameters(&mut self, device: &Device, label: &str, words: &impl Words) -> Buffer {
        let mut bytes = Vec::new();
        words.put(&mut bytes);
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST;
        let buffer = self.buffer(device, label, bytes.len() as u64, usage);
        device.queue.write_buffer(&buffer, 0, &bytes);
        buffer
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // A browser frees what is merely dropped only when its garbage collector comes by.
        self.buffers.iter().for_each(Buffer::destroy);
    }
}

/// Little-endian bytes of some words.
pub(super) fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
