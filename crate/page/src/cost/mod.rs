//! Cost: a scenario, what it comes to, and how sure that is.

pub mod model;

#[cfg(target_arch = "wasm32")]
pub(crate) mod actions;
#[cfg(target_arch = "wasm32")]
pub(crate) mod state;
#[cfg(target_arch = "wasm32")]
pub(crate) mod view;
