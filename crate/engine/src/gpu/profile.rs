//! Where the GPU's time goes: timestamps around every dispatch, and the bandwidth it could have had.

use wgpu::{Buffer, BufferUsages, CommandEncoder, ComputePass, QuerySet};

use super::adapter::Device;
use super::backend::Gpu;
use super::kernels::Kernel;
use super::memory::Memory;
use super::readback::{self, Readback};
use super::record::Batch;
use crate::error::{Error, Result};
use crate::model::layers;

/// Most dispatches that are timed in one submit.
const MOST: u32 = 2_000;

/// Bytes copied at a time to measure bandwidth: well beyond any cache.
const COPY_BYTES: u64 = 64 << 20;

/// How long copying is measured, ms.
const COPY_MS: f64 = 200.0;

/// Queries for the beginning and the end of every dispatch.
pub(super) struct Timestamps {
    queries: QuerySet,
    resolved: Buffer,
    kernels: Vec<Kernel>,
}

impl Timestamps {
    fn new(device: &Device, memory: &mut Memory) -> Option<Self> {
        if !device.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let queries = device.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count: 2 * MOST,
        });
        let usage = BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC;
        let resolved = memory.buffer(device, "timestamps", u64::from(2 * MOST) * 8, usage);
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

/// What one decoded token costs, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// GPU time by kernel, ms a token, longest first; empty where the adapter has no timestamps.
    pub kernels: Vec<(String, f64)>,
    /// Bytes of weights and cache that a token reads.
    pub bytes_per_token: u64,
    /// Bytes a second of copying, read and write counted.
    pub copy_bytes_per_s: f64,
}

impl Gpu {
    /// Profiles one token at `position`, of which the cache then holds nothing sensible; the caller begins anew.
    /// `now` is a monotonic clock, ms.
    ///
    /// # Errors
    /// The device met an error.
    pub async fn profile(&mut self, position: usize, now: fn() -> f64) -> Result<Profile> {
        let element = if self.device.settings.float_cache { 4 } else { 2 };
        let cache = 2 * self.config.layers * self.config.kv_width() * position * element;
        let copy_bytes_per_s = copy_bandwidth(&self.device, now).await?;
        // The second time everything is warm.
        self.timed_token(position).await?;
        let kernels = self.timed_token(position).await?;
        let bytes_per_token = self.weights.bytes_per_token() + cache as u64;
        Ok(Profile { kernels, bytes_per_token, copy_bytes_per_s })
    }

    async fn timed_token(&mut self, position: usize) -> Result<Vec<(String, f64)>> {
        let mut memory = Memory::default();
        let Some(timestamps) = Timestamps::new(&self.device, &mut memory) else { return Ok(Vec::new()) };
        let resolved = timestamps.resolved.clone();
        self.recorder.timestamps = Some(timestamps);
        let splits = Self::splits(position, 1);
        let batch = Batch { position: position as u32, tokens: 1, splits, ..Batch::default() };
        self.embed_ids(batch);
        let count = self.config.layers;
        layers(self, count);
        self.record_choice(0, 0);
        let mut readback = Readback::new(&self.device, &mut memory, u64::from(2 * MOST) * 8);
        let bytes = resolved.size().min(u64::from(2 * MOST) * 8);
        let submitted = self.recorder.submit(&self.device, Some((&resolved, 0, &readback.buffer, bytes)));
        let kernels =
            self.recorder.timestamps.take().map(|timestamps| timestamps.kernels).unwrap_or_default();
        submitted?;
        readback.ask();
        let mut ticks = Vec::new();
        let take = &mut |view: &[u8]| {
            ticks.extend(
                view.chunks_exact(8).map(|b| b.iter().rev().fold(0u64, |n, b| n << 8 | u64::from(*b))),
            );
        };
        readback.read(&self.device, bytes, take).await?;
        let period_ms = f64::from(self.device.queue.get_timestamp_period()) * 1e-6;
        Ok(by_kernel(&kernels, &ticks, period_ms))
    }
}

/// Sums of (begin, end) pairs by kernel, longest first.
fn by_kernel(kernels: &[Kernel], ticks: &[u64], period_ms: f64) -> Vec<(String, f64)> {
    let mut sums: Vec<(String, f64)> = Vec::new();
    for (kernel, pair) in kernels.iter().zip(ticks.chunks_exact(2)) {
        let (name, ms) = (kernel.name(), pair[1].saturating_sub(pair[0]) as f64 * period_ms);
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += ms,
            None => sums.push((name, ms)),
        }
    }
    sums.sort_by(|a, b| b.1.total_cmp(&a.1));
    sums
}

/// Bytes a second that the device copies within itself, read and write counted.
async fn copy_bandwidth(device: &Device, now: fn() -> f64) -> Result<f64> {
    let mut memory = Memory::default();
    let bytes = COPY_BYTES.min(device.limits.max_buffer_size);
    let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    let (from, to) =
        (memory.buffer(device, "copy", bytes, usage), memory.buffer(device, "copy", bytes, usage));
    let mut copies = 1;
    loop {
        let start = now();
        let descriptor = wgpu::CommandEncoderDescriptor { label: None };
        let mut encoder = device.device.create_command_encoder(&descriptor);
        for _ in 0..copies {
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
        }
        device.queue.submit([encoder.finish()]);
        readback::done(device).await?;
        let ms = now() - start;
        if !ms.is_finite() {
            return Err(Error::Backend { op: "measuring bandwidth", cause: "the clock does not run".into() });
        }
        if ms >= COPY_MS || copies >= 1 << 16 {
            return Ok(2.0 * (bytes * copies) as f64 / (ms.max(0.001) * 1e-3));
        }
        copies *= 4;
    }
}
