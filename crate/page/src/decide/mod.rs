//! Decide: every deployment’s way through the requirements.

pub mod model;

#[cfg(target_arch = "wasm32")]
pub(crate) mod view;
