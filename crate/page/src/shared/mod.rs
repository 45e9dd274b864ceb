//! Pieces that several features use: numbers and sentences, the sampling form, small parts of views, the clock.

pub mod format;
pub mod origin;
pub mod settings;
pub mod text;

#[cfg(target_arch = "wasm32")]
pub(crate) mod clock;
#[cfg(target_arch = "wasm32")]
pub(crate) mod money;
#[cfg(target_arch = "wasm32")]
pub(crate) mod parts;
