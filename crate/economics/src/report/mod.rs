//! Everything that a scenario comes to, as data and in sentences.

mod evaluate;
mod sentence;

pub use evaluate::{Report, evaluate, evaluate_with};
