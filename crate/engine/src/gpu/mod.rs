//! The GPU backend, through wgpu: WebGPU in a browser, Vulkan, Metal or DX12 natively.

mod adapter;
mod backend;
mod buffers;
mod chain;
mod check;
mod costs;
mod kernels;
mod load;
mod memory;
mod profile;
mod readback;
mod record;
mod shaders;
#[cfg(test)]
mod tests;
mod variant;
mod weights;

pub use adapter::{Adapter, Device, Settings};
pub use backend::Gpu;
pub(crate) use check::Checked;
pub use costs::Costs;
pub use profile::Profile;
pub use shaders::{build, shaders};
pub use variant::{Dot, Reduction, Variant};
