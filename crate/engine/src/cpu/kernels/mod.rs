//! Kernels: `reference.rs` is the plain scalar form of every one and its specification; `arch/` has one file per
//! instruction set; `dispatch.rs` is the only place that chooses. `portable.rs` and `span.rs` hold the steps whose plain
//! loops the compiler vectorises well enough everywhere.

pub(super) mod activations;
mod arch;
pub mod dispatch;
pub mod layout;
pub mod portable;
pub(super) mod quants;
pub mod reference;
pub mod span;
#[cfg(test)]
mod tests;
