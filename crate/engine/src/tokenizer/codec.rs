//! Text to tokens and back.

use std::io::{Read, Seek};

use super::bpe::Bpe;
use super::special::SpecialTokens;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::gguf::Gguf;

/// Whether the names of special tokens in a text mean those tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Specials {
    /// `<|im_start|>` becomes that token: for templates.
    Parse,
    /// `<|im_start|>` is twelve characters: for what people wrote.
    AsText,
}

/// Text to tokens and back.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    specials: SpecialTokens,
    bpe: Bpe,
}

impl Tokenizer {
    /// Builds the tokenizer from the file's metadata.
    ///
    /// # Errors
    /// A key is missing or of the wrong type, or the vocabulary is of a kind this engine does not have.
    pub fn from_gguf<R: Read + Seek>(gguf: &mut Gguf<R>) -> Result<Self> {
        let model = gguf.metadata().str("tokenizer.ggml.model")?;
        if model != "gpt2" {
            let cause = format!("tokenizer model {model}; supported is gpt2 (byte-level BPE)");
            return Err(Error::Unsupported { file: gguf.file().to_owned(), cause });
        }
        let vocabulary = Vocabulary::from_gguf(gguf)?;
        let specials = SpecialTokens::from_gguf(gguf, &vocabulary)?;
        let bpe = Bpe::from_gguf(gguf, &vocabulary, &specials)?;
        Ok(Self { vocabulary, specials, bpe })
    }

    /// Tokens of `text`; nothing is added in front or behind.
    ///
    /// # Errors
    /// It holds a character that is a special token of the model's and no other.
    pub fn encode(&self, text: &str, specials: Specials) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        let mut done = 0;
        if specials == Specials::Parse {
            for found in self.specials.find(text) {
                self.encode_text(&text[done..found.range.start], &mut out)?;
                out.push(found.id);
                done = found.range.end;
            }
        }
        self.encode_text(&text[done..], &mut out)?;
        Ok(out)
    }

    /// Appends the tokens of `text`, none of them special: a word that merges make into one is spelled out.
    fn encode_text(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        for id in self.bpe.encode(text)? {
            if !self.specials.contains(id) {
                out.push(id);
                continue;
            }
            for letter in self.vocabulary.text(id).unwrap_or_default().chars() {
                let token = self.bpe.token(letter.encode_utf8(&mut [0; 4]));
                let Some(token) = token.filter(|id| !self.specials.contains(*id)) else {
                    let cause = format!("{letter:?} is a special token of this model's, and cannot be said");
                    return Err(Error::BadPrompt { cause });
                };
                out.push(token);
            }
        }
        Ok(())
    }

    pub(super) fn specials(&self) -> &SpecialTokens {
        &self.specials
    }

    /// Text of these tokens, special ones left out; what is not UTF-8 becomes the replacement character.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.bytes(*id)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes a token stands for; none for a special token or one outside the vocabulary.
    pub(super) fn bytes(&self, id: u32) -> Vec<u8> {
        if self.specials.contains(id) { Vec::new() } else { self.vocabulary.bytes(id) }
    }

    /// Whether this token ends the model's turn.
    pub fn is_end_of_generation(&self, id: u32) -> bool {
        self.specials.ends_generation(id)
    }

    /// Entries of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary.len()
    }

    /// How the file spells a token.
    pub fn token_text(&self, id: u32) -> Option<&str> {
        self.vocabulary.text(id)
    }

    /// The token that begins a text, if the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.specials.bos()
    }

    /// Whether the model expects that token in front of every text.
    pub fn adds_bos(&self) -> bool {
        self.specials.adds_bos()
    }

    /// Bytes of the longest token's spelling: no token covers more of a text.
    pub(crate) fn longest_token_bytes(&self) -> usize {
        self.vocabulary.longest()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::fixture;

    #[test]
    fn text_never_becomes_a_special_token() {
        let tokenizer = |specials: &[&str]| {
            let merges = ["u s", "us e"];
            let mut gguf = fixture::gguf_with_merges(specials, &merges);
            Tokenizer::from_gguf(&mut gguf).unwrap()
        };
        let plain = tokenizer(&["<s>", "</s>", "us", "use", "use"]);
        for text in ["use", "us", "abuse", "use use"] {
            let ids = plain.encode(text, Specials::AsText).unwrap();
            assert!(!ids.iter().any(|id| plain.specials().contains(*id)), "{text}: {ids:?}");
            assert_eq!(plain.decode(&ids), text);
        }
        assert_eq!(plain.encode("use", Specials::Parse).unwrap().len(), 1);
    }

    #[test]
    fn a_letter_is_said_whatever_is_spelled_like_it() {
        let tokenizer = Tokenizer::from_gguf(&mut fixture::gguf(&["<s>", "a", "a"], &[])).unwrap();
        let ids = tokenizer.encode("banana", Specials::AsText).unwrap();
        assert_eq!(tokenizer.decode(&ids), "banana");
        assert_eq!(ids.len(), 6);
    }
}
