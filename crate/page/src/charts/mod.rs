//! Drawings of the general kind, and the tables that say the same.

pub mod drawings;
pub mod scales;

#[cfg(target_arch = "wasm32")]
pub(crate) mod bars;
#[cfg(target_arch = "wasm32")]
pub(crate) mod chart;
#[cfg(target_arch = "wasm32")]
pub(crate) mod code;
#[cfg(target_arch = "wasm32")]
pub(crate) mod path;
#[cfg(target_arch = "wasm32")]
pub(crate) mod table;
