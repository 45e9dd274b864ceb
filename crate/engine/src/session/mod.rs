//! The conversation with a loaded model: prefix reuse, one step a token, why it ended, its costs.

mod engine;
mod generation;
mod profile;
mod stop;

pub use engine::Engine;
pub use generation::{FinishReason, Generation, Request, Step};
