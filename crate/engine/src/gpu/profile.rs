//! Where the GPU's time goes: timestamps around every dispatch, and the bandwidth it could have had.

use wgpu::BufferUsages;

use super::device::Device;
use super::memory::Memory;
use super::pipeline::kernel::Kernel;
use super::readback::{self, Readback};
use super::state::gpu::Gpu;
use super::timestamps::{self, Timestamps};
use crate::error::{Error, Result};
use crate::model::Op;

/// Bytes copied at a time to measure bandwidth: well beyond any cache.
const COPY_BYTES: u64 = 64 << 20;

/// How long copying is measured, ms.
const COPY_MS: f64 = 200.0;

/// Measured costs of one decoded token.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// GPU time by kernel, ms a token, longest first; empty where the adapter has no timestamps.
    pub kernels: Vec<KernelTime>,
    /// Bytes of weights and cache that a token reads.
    pub bytes_per_token: u64,
    /// Bytes a second of copying, read and write counted.
    pub copy_bytes_per_s: f64,
}

/// All dispatches of a kernel in one token.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    /// Its name for people.
    pub name: String,
    /// Dispatches.
    pub dispatches: u64,
    /// Time of all of them, ms.
    pub ms: f64,
}

impl Gpu {
    /// Profiles one token at `position`, of which the cache then holds nothing sensible; the caller begins anew.
    /// `now` is a monotonic clock, ms.
    ///
    /// # Errors
    /// The device met an error.
    pub async fn profile(&mut self, position: usize, now: fn() -> f64) -> Result<Profile> {
        let spec = &self.plan.spec;
        let seen = |op: &Op| match op {
            Op::Attend { window, .. } => window.unwrap_or(position).min(position),
            _ => 0,
        };
        let positions: usize = self.plan.ops().iter().map(seen).sum();
        let cache = 2 * spec.kv_width() * self.device.cache_element() * positions;
        let copy_bytes_per_s = copy_bandwidth(&self.device, now).await?;
        // The second time everything is warm.
        self.timed_token(position).await?;
        let kernels = self.timed_token(position).await?;
        let bytes_per_token = self.weights.bytes_of(self.plan.body()) + cache as u64;
        Ok(Profile { kernels, bytes_per_token, copy_bytes_per_s })
    }

    /// The kernels of one token at `position`; none where the adapter has no timestamps.
    pub(super) async fn timed_token(&mut self, position: usize) -> Result<Vec<KernelTime>> {
        let mut memory = Memory::default();
        let Some(timestamps) = Timestamps::new(&self.device, &mut memory) else { return Ok(Vec::new()) };
        let resolved = timestamps.resolved.clone();
        self.recorder.timestamps = Some(timestamps);
        self.record_token(position, 0);
        self.record_choice(0, 0);
        let mut readback = Readback::new(&self.device, &mut memory, timestamps::BYTES);
        let bytes = timestamps::BYTES;
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
fn by_kernel(kernels: &[Kernel], ticks: &[u64], period_ms: f64) -> Vec<KernelTime> {
    let mut sums: Vec<KernelTime> = Vec::new();
    for (kernel, pair) in kernels.iter().zip(ticks.chunks_exact(2)) {
        let name = kernel.name();
        let index = sums.iter().position(|sum| sum.name == name).unwrap_or(sums.len());
        if index == sums.len() {
            sums.push(KernelTime { name, dispatches: 0, ms: 0.0 });
        }
        sums[index].dispatches += 1;
        sums[index].ms += pair[1].saturating_sub(pair[0]) as f64 * period_ms;
    }
    sums.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    sums
}

/// Bytes a second that the device copies within itself, read and write counted.
async fn copy_bandwidth(device: &Device, now: fn() -> f64) -> Result<f64> {
    let mut memory = Memory::default();
    let bytes = COPY_BYTES.min(device.limits.max_buffer_size);
    let usage = BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
    let from = memory.buffer(device, "copy", bytes, usage);
    let to = memory.buffer(device, "copy", bytes, usage);
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
