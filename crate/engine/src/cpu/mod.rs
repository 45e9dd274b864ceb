//! The CPU backend: packed weights, a KV cache of fourteen bits, and kernels chosen once for this processor.
//!
//! A step of the plan goes through `executor.rs` to `products.rs` or `attention.rs`, which cut it into pieces for the
//! `pool`, and on to the `kernels`. `resident.rs` holds all weights; `verify/` runs the same steps over weights that
//! stream by, to check and to estimate.

mod attention;
mod executor;
pub mod kernels;
mod matrix;
mod needs;
mod pool;
mod probe;
mod products;
mod profile;
mod resident;
mod state;
pub mod verify;
mod weights;

pub use executor::MAX_BATCH;
pub use kernels::activations::{QuantizedActivations, QuantizedRows, QuantizedRowsMut};
pub use kernels::dispatch;
pub use kernels::dispatch::Kernels;
pub use kernels::quants::{Quants, quantize_row};
pub use matrix::Matrix;
pub(crate) use needs::check_room;
pub use needs::needs;
pub use pool::{DisjointSlices, Pool, WorkerThread};
pub use probe::probe;
pub use products::Processor;
pub use profile::{Profile, Stage};
pub use resident::Cpu;
