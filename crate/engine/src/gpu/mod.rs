//! The GPU backend, through wgpu: WebGPU in a browser, Vulkan, Metal or DX12 natively.

mod adapter;
mod variant;

pub use adapter::{Adapter, Device, Settings};
pub use variant::{Dot, Reduction, Variant};
