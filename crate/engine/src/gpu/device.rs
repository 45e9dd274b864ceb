//! An open adapter: its limits, the pipelines made on it, and what went wrong on it.

use std::sync::{Arc, Mutex, PoisonError};

use wgpu::{BindGroup, BindGroupLayout, Buffer, ComputePipeline, Features, Limits};

use super::adapter::Adapter;
use super::pipeline::cache::Pipelines;
use super::pipeline::kernel::Kernel;
use super::pipeline::layouts::Layouts;
use super::pipeline::variant::{Dot, Reduction, Variant};
use crate::error::{Error, Result};

/// How an adapter is opened.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The variant to use; without one, the fastest that a measurement finds.
    pub variant: Option<Variant>,
    /// Cap on the bytes of one storage binding, to try what a smaller adapter would do.
    pub max_binding: Option<u64>,
    /// Whether the browser was asked for subgroups, which wgpu itself cannot do there.
    pub subgroups: bool,
    /// Keeps keys and values as floats instead of halves.
    pub float_cache: bool,
}

/// An open adapter.
pub struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: Limits,
    /// Lanes of the smallest subgroup; 0 where there are none.
    span: u32,
    pub(super) layouts: Layouts,
    pipelines: Pipelines,
    pub(super) first_error: FirstError,
    pub(super) adapter: Adapter,
    settings: Settings,
}

impl Adapter {
    /// Opens it with all the limits it offers.
    ///
    /// # Errors
    /// The adapter refuses.
    pub async fn open(self, settings: Settings) -> Result<Device> {
        let offered = self.adapter.features();
        let mut limits = self.adapter.limits();
        if let Some(cap) = settings.max_binding {
            limits.max_storage_buffer_binding_size = limits.max_storage_buffer_binding_size.min(cap);
            limits.max_buffer_size = limits.max_buffer_size.min(cap);
        }
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("nibble"),
            required_features: offered & (Features::TIMESTAMP_QUERY | Features::SUBGROUP),
            required_limits: limits.clone(),
            ..Default::default()
        };
        let opened = self.adapter.request_device(&descriptor).await;
        let (device, queue) =
            opened.map_err(|error| Error::NoGpu { cause: format!("{} refused: {error}", self.name()) })?;
        let info = self.adapter.get_info();
        let subgroups = settings.subgroups || offered.contains(Features::SUBGROUP);
        let span = if subgroups { info.subgroup_min_size.clamp(4, 64) } else { 0 };
        let first_error = FirstError::watch(&device);
        let layouts = Layouts::new(&device);
        let pipelines = Pipelines::default();
        Ok(Device { device, queue, limits, span, layouts, pipelines, first_error, adapter: self, settings })
    }
}

impl Device {
    /// The adapter it was opened from.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// The variant that was asked for, where the device offers it.
    pub(crate) fn variant(&self) -> Option<Variant> {
        self.settings.variant.filter(|variant| self.offers(variant))
    }

    /// Whether this device can run a variant.
    pub(super) fn offers(&self, variant: &Variant) -> bool {
        let subgroups = variant.reduction == Reduction::Workgroup || self.span > 0;
        let packed = variant.dot == Dot::Float || self.adapter.packed_dot;
        subgroups && packed && variant.invocations() <= self.limits.max_compute_invocations_per_workgroup
    }

    /// Bytes of one element of the cache: floats or halves.
    pub(super) fn cache_element(&self) -> usize {
        if self.settings.float_cache { 4 } else { 2 }
    }

    /// Makes a pipeline unless it is there.
    pub(super) async fn make(&mut self, kernel: Kernel) -> Result<()> {
        let constants = kernel.constants(self.span, !self.settings.float_cache);
        self.pipelines.make(&self.device, &self.layouts, kernel, &constants).await
    }

    /// The pipeline of a kernel that was made before.
    pub(super) fn pipeline(&self, kernel: Kernel) -> &ComputePipeline {
        self.pipelines.get(kernel)
    }

    /// A bind group of whole buffers.
    pub(super) fn bind(&self, layout: &BindGroupLayout, buffers: &[&Buffer]) -> BindGroup {
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }
}

/// The first error that the device reported outside of any call.
#[derive(Clone, Default)]
pub(super) struct FirstError(Arc<Mutex<Option<String>>>);

impl FirstError {
    fn watch(device: &wgpu::Device) -> Self {
        let first_error = Self::default();
        let lost = first_error.clone();
        let error = first_error.clone();
        device.set_device_lost_callback(move |_, message| lost.note(format!("the GPU was lost: {message}")));
        device.on_uncaptured_error(Arc::new(move |said: wgpu::Error| error.note(said.to_string())));
        first_error
    }

    /// Keeps the first: what follows follows from it.
    fn note(&self, cause: String) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert(cause);
    }

    /// # Errors
    /// Something went wrong, what.
    pub(super) fn check(&self) -> Result<()> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(cause) => Err(Error::Backend { op: "computing on the GPU", cause: cause.clone() }),
            None => Ok(()),
        }
    }
}
