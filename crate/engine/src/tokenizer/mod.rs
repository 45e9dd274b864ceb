//! The tokenizer a GGUF file describes: byte-level BPE or SentencePiece over the file's own vocabulary, to the
//! token as llama.cpp has it. Special tokens are found before that, so that whether a text may contain control
//! tokens is the caller's choice, text by text.

mod bpe;
mod bytes;
mod chat;
mod codec;
#[cfg(test)]
mod fixture;
mod keys;
mod merge;
mod pre_tokenizer;
mod sentencepiece;
mod special;
mod stream;
#[cfg(test)]
mod tests;
mod vocabulary;

#[cfg(test)]
pub(crate) use bytes::spell;
pub(crate) use chat::plain_prompt;
pub use chat::{ChatTemplate, Message, Prompt, Role};
pub use codec::{Specials, Tokenizer};
pub use stream::TextStream;
