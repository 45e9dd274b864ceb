//! Threads that compute beside this worker.

mod nested_worker;
mod pool;

#[cfg(test)]
pub(crate) use nested_worker::outcome;
pub(crate) use nested_worker::run;
pub(crate) use pool::{ThreadPool, most};
