//! A GGUF file and a prompt in, tokens out: reading, tokenising, computing and sampling, in a browser's
//! worker or natively. Knows no browser and no page.

#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod cpu;
mod error;
pub mod format;
pub mod gguf;
pub mod gpu;
mod info;
pub mod model;
mod sampler;
mod select;
mod session;
#[cfg(test)]
mod testing;
pub mod tokenizer;

pub use error::{Error, Result};
pub use info::Info;
pub use model::Precision;
pub use protocol::AUTOMATIC_THREADS;
pub use sampler::{Sampler, Sampling, argmax};
pub use select::{Check, LoadOptions, Preference, Progress, Report};
pub use session::{Engine, FinishReason, Generation, Request, Step};
pub use tokenizer::{Message, Prompt, Role, Tokenizer};

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future whose steps are ready at once, as the CPU's are, to its end. Native callers only: a browser
/// must not be blocked.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        std::thread::yield_now();
    }
}
