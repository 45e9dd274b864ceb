//! Shared by the crates that calculate and the programs that show their figures: dated figures, the normal
//! distribution, the inverse of a tabulated distribution, and the cell of a spreadsheet.
//!
//! A crate of its own, because `economics` and `latency` are pure and may not depend on each other, nor on the page.
//! Pure itself: no clock, no input or output, no randomness. Transcendental functions come from `libm`, so that
//! the same arguments give the same bits natively and in WebAssembly.

#![deny(clippy::unwrap_used, clippy::expect_used)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod dated;
mod inverse;
pub mod normal;
pub mod sheet;

pub use dated::{Figure, Kind};
pub use inverse::Inverse;
