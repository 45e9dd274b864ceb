//! Bytes from the device to here. In a browser a result can only be waited for, never asked for.

use futures_channel::oneshot;
use wgpu::{Buffer, BufferAsyncError, BufferUsages, MapMode};

use super::device::Device;
use super::memory::Memory;
use crate::error::{Error, Result};

#[cfg(target_arch = "wasm32")]
mod wait {
    use futures_channel::oneshot::{Canceled, Receiver};

    /// The browser calls back by itself.
    pub(super) async fn wait<T>(_: &wgpu::Device, receiver: Receiver<T>) -> Result<T, Canceled> {
        receiver.await
    }
}
#[cfg(not(target_arch = "wasm32"))]
mod wait {
    use std::time::Duration;

    use futures_channel::oneshot::{Canceled, Receiver};

    /// Between two looks; far below what a block of tokens takes.
    const PAUSE: Duration = Duration::from_micros(50);

    /// Natively callbacks come while the device is polled. Waiting inside the device would wait for everything
    /// that was submitted, later blocks of tokens included.
    pub(super) async fn wait<T>(device: &wgpu::Device, mut receiver: Receiver<T>) -> Result<T, Canceled> {
        loop {
            device.poll(wgpu::PollType::Poll).ok();
            if let Some(value) = receiver.try_recv()? {
                return Ok(value);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// A buffer that the device copies into and this side reads.
pub(super) struct Readback {
    pub(super) buffer: Buffer,
    waiting: Option<oneshot::Receiver<Result<(), BufferAsyncError>>>,
}

impl Readback {
    pub(super) fn new(device: &Device, memory: &mut Memory, bytes: u64) -> Self {
        let usage = BufferUsages::MAP_READ | BufferUsages::COPY_DST;
        Self { buffer: memory.buffer(device, "readback", bytes, usage), waiting: None }
    }

    /// Asks for what was submitted before.
    pub(super) fn ask(&mut self) {
        let (sender, receiver) = oneshot::channel();
        self.buffer.map_async(MapMode::Read, .., move |result| {
            // Nobody may be listening any more: an answer was stopped.
            sender.send(result).ok();
        });
        self.waiting = Some(receiver);
    }

    /// Waits for what was asked for and hands the first `bytes` of it over.
    ///
    /// # Errors
    /// The device was lost or met an error.
    pub(super) async fn read(
        &mut self,
        device: &Device,
        bytes: u64,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<()> {
        let Some(waiting) = self.waiting.take() else { return Ok(()) };
        let mapped = wait::wait(&device.device, waiting).await;
        device.first_error.check()?;
        let failed = |cause: String| Error::Backend { op: "reading from the GPU", cause };
        match mapped {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("the device went away".to_owned())),
        }
        if bytes == 0 {
            self.buffer.unmap();
            return Ok(());
        }
        let view = self.buffer.get_mapped_range(..bytes).map_err(|error| failed(error.to_string()))?;
        each(&view);
        drop(view);
        self.buffer.unmap();
        Ok(())
    }

    /// Whether it can be copied into.
    pub(super) fn is_free(&self) -> bool {
        self.waiting.is_none()
    }
}

/// Waits until the device has done everything submitted so far.
///
/// # Errors
/// It met an error.
pub(super) async fn done(device: &Device) -> Result<()> {
    let (sender, receiver) = oneshot::channel();
    device.queue.on_submitted_work_done(move || {
        sender.send(()).ok();
    });
    wait::wait(&device.device, receiver).await.ok();
    device.first_error.check()
}

/// The words of some little-endian bytes.
pub(super) fn words_of(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
}
