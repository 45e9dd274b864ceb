//! Special tokens: which they are, where a text spells them, and what some of them mean.

use std::io::{Read, Seek};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::gguf::{Gguf, Metadata};

/// Numbers of `tokenizer.ggml.token_type` that are not ordinary text.
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// End-of-generation (EOG) tokens of one family of models or another, beside the metadata's own.
const END_OF_GENERATION: [&str; 5] = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<end_of_turn>", "</s>"];

/// A file's special tokens.
pub(super) struct SpecialTokens {
    /// Finds them all in one pass; a pattern's number is its place in `ids`.
    finder: AhoCorasick,
    /// In ascending order.
    ids: Vec<u32>,
    end_of_generation: Vec<u32>,
    bos: Option<u32>,
    add_bos: bool,
}

/// A special token spelled in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) id: u32,
}

impl SpecialTokens {
    pub(super) fn from_gguf<R: Read + Seek>(gguf: &mut Gguf<R>, vocabulary: &Vocabulary) -> Result<Self> {
        let types = gguf.opt_integers("tokenizer.ggml.token_type")?.unwrap_or_default();
        let specials = (0..)
            .zip(vocabulary.texts())
            .zip(&types)
            .filter(|((_, text), kind)| matches!(**kind, CONTROL | USER_DEFINED) && !text.is_empty());
        let (ids, names): (Vec<u32>, Vec<&str>) = specials.map(|(token, _)| token).unzip();
        let metadata = gguf.metadata();
        let finder = finder(&names).map_err(|error| Error::BadFile {
            file: metadata.file().to_owned(),
            cause: format!("its special tokens cannot be searched for: {error}"),
        })?;
        let mut end_of_generation: Vec<u32> = ids
            .iter()
            .zip(&names)
            .filter(|(_, name)| END_OF_GENERATION.contains(name))
            .map(|(id, _)| *id)
            .collect();
        for name in ["eos", "eot"] {
            end_of_generation.extend(named_id(metadata, name, vocabulary)?);
        }
        let bos = named_id(metadata, "bos", vocabulary)?;
        let add_bos = metadata.opt_bool("tokenizer.ggml.add_bos_token")?.unwrap_or(false) && bos.is_some();
        Ok(Self { finder, ids, end_of_generation, bos, add_bos })
    }

    /// Those that `text` spells, from left to right: the longest of those that begin at one place, none
    /// inside another.
    pub(super) fn find(&self, text: &str) -> impl Iterator<Item = Found> {
        let found = self.finder.find_iter(text);
        found.map(|found| Found { range: found.range(), id: self.ids[found.pattern().as_usize()] })
    }

    pub(super) fn ids(&self) -> &[u32] {
        &self.ids
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    pub(super) fn ends_generation(&self, id: u32) -> bool {
        self.end_of_generation.contains(&id)
    }

    /// The token that begins a text.
    pub(super) fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// Whether the model expects it in front of every text.
    pub(super) fn adds_bos(&self) -> bool {
        self.add_bos
    }
}

fn finder(names: &[&str]) -> Result<AhoCorasick, aho_corasick::BuildError> {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(names)
}

fn named_id(metadata: &Metadata, name: &str, vocabulary: &Vocabulary) -> Result<Option<u32>> {
    let key = format!("tokenizer.ggml.{name}_token_id");
    match metadata.opt_usize(&key)? {
        Some(id) if id >= vocabulary.len() => {
            let cause = format!("{key} is {id}, outside the vocabulary of {}", vocabulary.len());
            Err(Error::BadFile { file: metadata.file().to_owned(), cause })
        }
        id => Ok(id.map(|id| id as u32)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specials(names: &[&str]) -> SpecialTokens {
        let ids = (0..names.len() as u32).collect();
        let finder = finder(names).unwrap();
        SpecialTokens { finder, ids, end_of_generation: Vec::new(), bos: None, add_bos: false }
    }

    fn found(names: &[&str], text: &str) -> Vec<(usize, u32)> {
        specials(names).find(text).map(|found| (found.range.start, found.id)).collect()
    }

    #[test]
    fn the_longest_of_those_that_begin_at_one_place_wins() {
        assert_eq!(found(&["<a>", "<a><b>", "<b>"], "<a><b><a>"), [(0, 1), (6, 0)]);
        // The leftmost goes before a longer one that begins inside it.
        assert_eq!(found(&["ab", "bcdef"], "abcdef"), [(0, 0)]);
        // A longer one that breaks off gives way to the shorter.
        assert_eq!(found(&["<a>", "<a><b>"], "<a><b"), [(0, 0)]);
        // Two ids of one spelling: the first.
        assert_eq!(found(&["x", "<a>", "<a>"], "<a>"), [(0, 1)]);
    }

    #[test]
    fn they_are_found_side_by_side_at_the_ends_and_inside_utf_8() {
        assert_eq!(found(&["<a>", "<b>"], "<a><b><a>"), [(0, 0), (3, 1), (6, 0)]);
        assert_eq!(found(&["<a>", "｜é"], "é<a>日本｜é😀<a>"), [(2, 0), (11, 1), (20, 0)]);
        // A part of a character is no match.
        assert_eq!(found(&["Ã"], "é"), []);
        assert_eq!(found(&["<a>"], ""), []);
        assert_eq!(found(&[], "<a>"), []);
    }

    #[test]
    fn thousands_of_them_are_found_in_one_pass_over_a_long_text() {
        let names: Vec<String> = (0..8000).map(|n| format!("<|reserved_{n}|>")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let specials = specials(&names);
        let text: String = (0..100_000).map(|n| format!("<|reserved_{}|> words ", n % 9000)).collect();
        let mut read = 0;
        for (found, number) in specials.find(&text).zip((0..100_000).filter(|n| n % 9000 < 8000)) {
            // Each is handed out behind the last: nothing is read from the start again.
            assert!(found.range.start >= read);
            read = found.range.end;
            assert_eq!(found.id, number % 9000);
            assert_eq!(&text[found.range], names[found.id as usize]);
        }
        assert_eq!(specials.find(&text).count(), (0..100_000).filter(|n| n % 9000 < 8000).count());
    }
}
