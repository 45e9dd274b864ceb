//! Latency: many answers measured here, as many simulated requests, objectives and sustained load.

pub mod model;

#[cfg(target_arch = "wasm32")]
mod actions;
#[cfg(target_arch = "wasm32")]
pub(crate) mod state;
#[cfg(target_arch = "wasm32")]
pub(crate) mod view;
