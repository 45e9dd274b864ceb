//! The texts of all tokens, as the file spells them.

use std::io::{Read, Seek};

use super::bytes;
use crate::error::Result;
use crate::gguf::{Gguf, Texts};

/// Tokens by their ids.
pub(super) struct Vocabulary {
    tokens: Texts,
    longest: usize,
}

impl Vocabulary {
    pub(super) fn from_gguf<R: Read + Seek>(gguf: &mut Gguf<R>) -> Result<Self> {
        let tokens = gguf.texts("tokenizer.ggml.tokens")?;
        let longest = tokens.iter().map(str::len).max().unwrap_or(1).max(1);
        Ok(Self { tokens, longest })
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn text(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize)
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter()
    }

    /// The bytes that an ordinary token stands for; none outside the vocabulary.
    pub(super) fn bytes(&self, id: u32) -> Vec<u8> {
        self.text(id).map(bytes::from_text).unwrap_or_default()
    }

    /// Bytes of the longest spelling, 1 at least.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }
}
