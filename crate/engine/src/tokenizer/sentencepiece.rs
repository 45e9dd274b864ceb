//! SentencePiece's BPE, `tokenizer.ggml.model` `llama`: neighbours are joined when the text of both is a token,
//! the highest score first, the leftmost of equals; a letter that is no token becomes its bytes.

use std::io::{Read, Seek};

use super::bpe::no_token;
use super::merge::{Join, Merger};
use super::vocabulary::{Index, Kind, SPACE, Vocabulary};
use crate::error::{Error, Result};
use crate::gguf::Gguf;

const SCORES: &str = "tokenizer.ggml.scores";

/// Scores and texts of one file's tokens.
pub(super) struct SentencePiece {
    index: Index,
    scores: Vec<f32>,
    /// Tokens of single bytes.
    bytes: Vec<Option<u32>>,
    /// Whether a text is read as if a space stood in front.
    adds_space: bool,
}

impl SentencePiece {
    pub(super) fn from_gguf<R: Read + Seek>(gguf: &mut Gguf<R>, vocabulary: &Vocabulary) -> Result<Self> {
        let scores = gguf.floats(SCORES)?;
        let bad = |cause: String| Error::BadFile { file: gguf.file().to_owned(), cause };
        if scores.len() < vocabulary.len() {
            return Err(bad(format!(
                "{SCORES} has {} entries for {} tokens",
                scores.len(),
                vocabulary.len()
            )));
        }
        if let Some(id) = scores.iter().position(|score| score.is_nan()) {
            return Err(bad(format!("{SCORES} has no number for token {id}")));
        }
        let adds_space = gguf.metadata().opt_bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true);
        let index = Index::new(vocabulary);
        let byte = |byte: u8| index.find(vocabulary, &format!("<0x{byte:02X}>"));
        let bytes = (0..=255).map(byte).collect();
        Ok(Self { index, scores, bytes, adds_space })
    }

    /// Whether a text is read as if a space stood in front.
    pub(super) fn adds_space(&self) -> bool {
        self.adds_space
    }

    /// Appends the tokens of `text`, none of them a control token.
    ///
    /// # Errors
    /// The vocabulary lacks a character of it, and a byte of that.
    pub(super) fn encode(&self, vocabulary: &Vocabulary, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let mut spelled = String::with_capacity(text.len() + 3);
        if self.adds_space && !text.is_empty() {
            spelled.push(SPACE);
        }
        spelled.extend(text.chars().map(|c| if c == ' ' { SPACE } else { c }));
        let token = |text: &str| {
            let token = self.index.find(vocabulary, text);
            token.filter(|id| matches!(vocabulary.kind(*id), Some(Kind::Normal | Kind::UserDefined)))
        };
        let mut merger = Merger::default();
        for character in spelled.chars() {
            merger.push(character.len_utf8(), token(character.encode_utf8(&mut [0; 4])));
        }
        let symbols = merger.merge(|left, right| {
            let token = token(&spelled[left.range.start..right.range.end])?;
            Some(Join { rank: rank(self.scores[token as usize]), token })
        });
        for symbol in symbols {
            match symbol.token {
                Some(id) => out.push(id),
                None => {
                    let letter = &spelled[symbol.range.clone()];
                    for byte in letter.bytes() {
                        let character = letter.chars().next().unwrap_or_default();
                        let id = self.bytes[usize::from(byte)].ok_or_else(|| no_token(character, byte))?;
                        out.push(id);
                    }
                }
            }
        }
        Ok(())
    }
}

/// A number that falls as the score rises.
fn rank(score: f32) -> u32 {
    // Both zeros are one.
    let bits = (score + 0.0).to_bits();
    // The bits of positive floats rise with them, those of negative ones fall.
    if bits >> 31 == 0 { !(bits | 1 << 31) } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_scores_the_other_way_round() {
        let falling = [f32::INFINITY, 3.0, 1e-40, 0.0, -1e-40, -1.5, -262_000.0, f32::NEG_INFINITY];
        assert!(falling.map(rank).is_sorted_by(|a, b| a < b));
        assert_eq!(rank(-0.0), rank(0.0));
    }
}
