//! Bytes from the device to here. In a browser a result can only be waited for, never asked for.

use futures_channel::oneshot;
use wgpu::{Buffer, BufferAsyncError, BufferUsages, MapMode};

use super::adapter::Device;
use super::memory::Memory;
use crate::error::{Error, Result};

#[cfg(target_arch = "wasm32")]
mod drive {
    /// The browser calls back by itself.
    pub(super) fn drive(_: &wgpu::Device) {}
}
#[cfg(not(target_arch = "wasm32"))]
mod drive {
    /// Natively callbacks come while the device is polled. What fails shows in the callback.
    pub(super) fn drive(device: &wgpu::Device) {
        device.poll(wgpu::PollType::wait_indefinitely()).ok();
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
        drive::drive(&device.device);
        let mapped = waiting.await;
        device.trouble.check()?;
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
    drive::drive(&device.device);
    receiver.await.ok();
    device.trouble.check()
}
