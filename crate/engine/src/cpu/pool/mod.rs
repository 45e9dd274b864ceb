//! Threads that compute together, and the buffers they share.

mod disjoint;
mod threads;

pub use disjoint::DisjointSlices;
pub use threads::{Pool, WorkerThread};
