//! The page: what a visitor sees, and the bridge to the engine's worker.
//!
//! It knows the messages (`protocol`), the costs (`economics`) and the simulated cloud (`latency`), never the
//! engine. Half of it is pure and tested natively; the other half exists only in a browser.
#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod catalogue;
pub mod costing;
pub mod device;
pub mod figures;
pub mod format;
pub mod race;
pub mod rate;
pub mod settings;
pub mod tasks;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod bridge;
#[cfg(target_arch = "wasm32")]
mod probe;
#[cfg(target_arch = "wasm32")]
pub mod start;
#[cfg(target_arch = "wasm32")]
mod state;
#[cfg(target_arch = "wasm32")]
mod ui;
