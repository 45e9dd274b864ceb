//! Everything that a developer does to Nibble apart from editing and measuring it, for `cargo xtask` and the bench.
//!
//! What a person reads goes to standard error; standard output carries results only (`demo --check` prints one
//! JSON object there). Tools are called by full path and installed under cargo's target directory.

mod add;
mod apt;
mod fetch;
mod size;
mod summary;
mod variant;
mod wasm;

pub mod build;
pub mod catalogue;
pub mod command;
pub mod demo;
pub mod digest;
pub mod fuzz;
pub mod model;
pub mod paths;
pub mod pip;
pub mod serve;
pub mod setup;
pub mod stamp;
pub mod step;
pub mod test;
pub mod vulkan;

use std::process::ExitCode;

/// What a program ends with. An error is said in its sentences only: a backtrace through xtask helps nobody who reads
/// what went wrong.
pub fn exit_code(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
