//! The memory of a backend on the processor: keys and values, and a batch's activations.

pub(super) mod cache;
pub(super) mod workspace;
