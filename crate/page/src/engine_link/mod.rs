//! The way to the engine: what this device offers, which build runs, and the bridge to its worker.

pub mod builds;
pub mod device;
pub mod names;

#[cfg(target_arch = "wasm32")]
pub(crate) mod bridge;
#[cfg(target_arch = "wasm32")]
pub(crate) mod probe;
