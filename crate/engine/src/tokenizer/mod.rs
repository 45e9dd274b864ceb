//! The tokenizer a GGUF file describes: byte-level BPE over the file's own vocabulary and merges, with the
//! `tokenizers` crate doing the merging. Special tokens are found before it, so that whether a text may
//! contain them is the caller's choice, text by text.

mod bpe;
mod bytes;
mod chat;
mod codec;
#[cfg(test)]
mod fixture;
mod pre_tokenizer;
mod special;
mod stream;
mod vocabulary;

#[cfg(test)]
pub(crate) use bytes::spell;
pub(crate) use chat::plain_prompt;
pub use chat::{ChatTemplate, Message, Role};
pub use codec::{Specials, Tokenizer};
pub use stream::TextStream;
