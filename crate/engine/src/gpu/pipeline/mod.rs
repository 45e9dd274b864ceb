//! Compute pipelines: which kernels there are, their text, how they are specialised and bound, and making them.

pub(super) mod cache;
pub(super) mod kernel;
pub(super) mod layouts;
mod modules;
pub(super) mod shaders;
pub(super) mod variant;
