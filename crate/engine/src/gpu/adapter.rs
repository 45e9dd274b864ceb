//! Finding an adapter.

use protocol::is_software;
use wgpu::{Backend, DeviceType, InstanceDescriptor, InstanceFlags};

use crate::error::{Error, Result};

/// A GPU, or a program that stands in for one.
pub struct Adapter {
    pub(super) adapter: wgpu::Adapter,
    name: String,
    api: &'static str,
    software: bool,
    /// Whether WGSL's `dot4I8Packed` is there.
    pub(super) packed_dot: bool,
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

    /// The name of the adapter; never empty.
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
}
