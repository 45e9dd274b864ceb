//! Finding an adapter and opening it at all it offers.

use std::sync::{Arc, Mutex, PoisonError};

use wgpu::{Backend, DeviceType, Features, InstanceDescriptor, InstanceFlags, Limits};

use super::kernels::{Kernels, Layouts};
use super::variant::{Dot, Reduction, Variant};
use crate::error::{Error, Result};

/// A GPU, or a program that stands in for one.
pub struct Adapter {
    adapter: wgpu::Adapter,
    name: String,
    api: &'static str,
    software: bool,
    /// Whether WGSL's `dot4I8Packed` is there.
    packed_dot: bool,
}

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

impl Adapter {
    /// Asks for the fastest adapter.
    ///
    /// # Errors
    /// There is none, and why.
    pub async fn find() -> Result<Self> {
        let flags = InstanceFlags::default().with_env();
        let descriptor = InstanceDescriptor { flags, ..InstanceDescriptor::new_without_display_handle() };
        let instance = wgpu::Instance::new(descriptor);
        let options = wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        };
        let adapter = instance.request_adapter(&options).await.map_err(|_| Error::NoGpu {
            cause: "no adapter was found; a GPU driver with WebGPU, Vulkan, Metal or DirectX 12 is needed"
                .into(),
        })?;
        let info = adapter.get_info();
        let packed = wgpu::WgslLanguageFeatures::Packed4x8IntegerDotProduct;
        Ok(Self {
            api: match info.backend {
                Backend::BrowserWebGpu => "webgpu",
                Backend::Vulkan => "vulkan",
                Backend::Metal => "metal",
                Backend::Dx12 => "dx12",
                _ => "gpu",
            },
            software: info.device_type == DeviceType::Cpu || is_software(&info.name),
            packed_dot: instance.wgsl_language_features().contains(packed),
            name: if info.name.is_empty() { "an adapter without a name".to_owned() } else { info.name },
            adapter,
        })
    }

    /// The same, under the name that the browser gives it: wgpu sees its description only.
    #[must_use]
    pub fn called(mut self, name: String) -> Self {
        self.software |= is_software(&name);
        self.name = name;
        self
    }

    /// What it calls itself; never empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Interface it is reached through: `webgpu`, `vulkan`, `metal` or `dx12`.
    pub fn api(&self) -> &'static str {
        self.api
    }

    /// Whether it is a program on the processor.
    pub fn software(&self) -> bool {
        self.software
    }

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
            opened.map_err(|error| Error::NoGpu { cause: format!("{} refused: {error}", self.name) })?;
        let info = self.adapter.get_info();
        let subgroups = settings.subgroups || offered.contains(Features::SUBGROUP);
        let span = if subgroups { info.subgroup_min_size.clamp(4, 64) } else { 0 };
        let trouble = Trouble::watch(&device);
        let (layouts, kernels) = (Layouts::new(&device), Kernels::default());
        Ok(Device { device, queue, limits, span, layouts, kernels, trouble, adapter: self, settings })
    }
}

/// Software adapters that do not say so by their type.
fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["swiftshader", "llvmpipe", "softpipe", "basic render"].iter().any(|known| name.contains(known))
}

/// An open adapter.
pub struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: Limits,
    /// Lanes of the smallest subgroup; 0 where there are none.
    pub(super) span: u32,
    pub(super) layouts: Layouts,
    pub(super) kernels: Kernels,
    pub(super) trouble: Trouble,
    pub(super) adapter: Adapter,
    pub(super) settings: Settings,
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
        subgroups
            && packed
            && variant.lanes * variant.slices <= self.limits.max_compute_invocations_per_workgroup
    }
}

/// What went wrong on the device, as it tells outside of any call.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn watch(device: &wgpu::Device) -> Self {
        let trouble = Self::default();
        let (lost, error) = (trouble.clone(), trouble.clone());
        device.set_device_lost_callback(move |_, message| lost.note(format!("the GPU was lost: {message}")));
        device.on_uncaptured_error(Arc::new(move |said: wgpu::Error| error.note(said.to_string())));
        trouble
    }

    /// Keeps the first: what follows follows from it.
    pub(super) fn note(&self, cause: String) {
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
