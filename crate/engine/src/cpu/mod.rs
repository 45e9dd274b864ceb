//! The CPU backend: packed weights, a KV cache of fourteen bits, and kernels chosen once for this processor.
//!
//! `reference.rs` is the plain scalar twin of every kernel and its specification; `arch/` has one file per
//! instruction set; `dispatch.rs` is the only place that chooses. `portable.rs` holds the steps whose plain
//! loops the compiler vectorises well enough everywhere.

mod activations;
mod agreement;
mod arch;
mod attention;
mod backend;
mod cache;
pub mod dispatch;
mod estimate;
pub mod portable;
mod products;
mod profile;
mod quants;
pub mod reference;
mod stages;
pub mod streamed;
#[cfg(test)]
mod tests;
mod threads;
mod trace;
mod weights;

pub use activations::{Activations, Rows, RowsMut};
pub use agreement::Agreement;
pub use backend::{Cpu, MAX_BATCH};
pub use cache::{Cached, KEYS, key_place, value_place};
pub use dispatch::{Attention, Kernels, Product};
pub use estimate::{Estimate, estimate};
pub use products::Processor;
pub use profile::Costs;
pub use quants::{Quants, quantize_row};
pub use threads::{Member, Parts, Pool};
pub(crate) use trace::{Trace, trace};
