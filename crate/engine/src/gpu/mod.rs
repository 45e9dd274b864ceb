//! The GPU backend, through wgpu: WebGPU in a browser, Vulkan, Metal or DX12 natively.

mod adapter;
mod check;
mod decode;
mod device;
mod geometry;
mod load;
mod memory;
mod ops;
mod pipeline;
mod profile;
mod readback;
mod record;
mod state;
#[cfg(test)]
mod tests;
mod timestamps;
mod tune;
mod upload;

pub use adapter::Adapter;
pub(crate) use check::Checked;
pub use device::{Device, Settings};
pub use geometry::{CONSTANTS, LAYOUTS, Layout};
pub use pipeline::shaders::{Shader, build, shaders};
pub use pipeline::variant::{Dot, Reduction, Variant};
pub use profile::{KernelTime, Profile};
pub use state::gpu::{Counters, Gpu};
