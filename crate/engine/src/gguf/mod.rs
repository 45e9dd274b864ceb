//! An untrusted GGUF file to a checked directory of tensors. candle-core reads the container; this module
//! bounds what the file claims before anything is allocated by it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.

mod dtype;
mod file;
mod list;
mod metadata;
mod scan;
#[cfg(test)]
mod tests;
mod texts;

pub use dtype::Dtype;
pub use file::{Gguf, ReadSeek, TensorInfo};
pub use metadata::Metadata;
pub use texts::Texts;
