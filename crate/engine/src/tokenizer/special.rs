//! Special tokens: which they are, where a text spells them, and what some of them mean.

use std::io::{Read, Seek};
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::vocabulary::{Kind, Vocabulary};
use crate::error::{Error, Result};
use crate::gguf::{Gguf, Metadata};

/// Keys `tokenizer.ggml.*_token_id` of tokens that end the model's turn.
const END_OF_GENERATION: [&str; 6] = ["eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep"];

/// What a file without the keys means.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) bos: Option<u32>,
    pub(super) eos: Option<u32>,
    pub(super) adds_bos: bool,
}

/// A file's special tokens.
pub(super) struct SpecialTokens {
    control: Finder,
    user_defined: Finder,
    end_of_generation: Vec<u32>,
    bos: Option<u32>,
    /// The token that begins a text, if the model expects one.
    begins: Option<u32>,
    /// The token that ends a text, if the model expects one.
    ends: Option<u32>,
}

/// A special token spelled in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Bytes of the text.
    pub(super) range: Range<usize>,
    pub(super) id: u32,
}

impl SpecialTokens {
    pub(super) fn from_gguf<R: Read + Seek>(
        gguf: &Gguf<R>,
        vocabulary: &Vocabulary,
        defaults: Defaults,
    ) -> Result<Self> {
        let metadata = gguf.metadata();
        let finder = |kind| {
            Finder::new(vocabulary.of_kind(kind)).map_err(|error| Error::BadFile {
                file: metadata.file().to_owned(),
                cause: format!("its special tokens cannot be searched for: {error}"),
            })
        };
        let (control, user_defined) = (finder(Kind::Control)?, finder(Kind::UserDefined)?);
        let known = |id: &u32| (*id as usize) < vocabulary.len();
        let bos = named_id(metadata, "bos", vocabulary)?.or(defaults.bos.filter(known));
        let eos = named_id(metadata, "eos", vocabulary)?.or(defaults.eos.filter(known));
        let ends_generation = |id: &u32| vocabulary.ends_generation(*id);
        let mut end_of_generation: Vec<u32> = control.ids.iter().copied().filter(ends_generation).collect();
        end_of_generation.extend(eos);
        for name in END_OF_GENERATION {
            end_of_generation.extend(named_id(metadata, name, vocabulary)?);
        }
        let begins = added(metadata, "bos", defaults.adds_bos, bos)?;
        let ends = added(metadata, "eos", false, eos)?;
        Ok(Self { control, user_defined, end_of_generation, bos, begins, ends })
    }

    /// The control tokens that `text` spells, from left to right: the longest of those that begin at one
    /// place, none inside another.
    pub(super) fn find(&self, text: &str) -> impl Iterator<Item = Found> {
        self.control.find(text)
    }

    /// The same of user-defined tokens, which are these tokens whoever wrote them.
    pub(super) fn find_user_defined(&self, text: &str) -> impl Iterator<Item = Found> {
        self.user_defined.find(text)
    }

    /// The control tokens.
    pub(super) fn ids(&self) -> &[u32] {
        &self.control.ids
    }

    pub(super) fn ends_generation(&self, id: u32) -> bool {
        self.end_of_generation.contains(&id)
    }

    /// The token that stands for the beginning of a text.
    pub(super) fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// The token that the model expects in front of every text.
    pub(super) fn begins(&self) -> Option<u32> {
        self.begins
    }

    /// The token that the model expects behind every text.
    pub(super) fn ends(&self) -> Option<u32> {
        self.ends
    }
}

/// Finds tokens by their texts, all in one pass.
struct Finder {
    /// A pattern's number is its place in `ids`.
    patterns: AhoCorasick,
    /// In ascending order.
    ids: Vec<u32>,
}

impl Finder {
    fn new<'t>(tokens: impl Iterator<Item = (u32, &'t str)>) -> Result<Self, aho_corasick::BuildError> {
        let (ids, names): (Vec<u32>, Vec<&str>) = tokens.unzip();
        let patterns = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(names)?;
        Ok(Self { patterns, ids })
    }

    fn find(&self, text: &str) -> impl Iterator<Item = Found> {
        let found = self.patterns.find_iter(text);
        found.map(|found| Found { range: found.range(), id: self.ids[found.pattern().as_usize()] })
    }
}

/// The token that the file says to add to every text.
fn added(metadata: &Metadata, name: &str, default: bool, id: Option<u32>) -> Result<Option<u32>> {
    let key = format!("tokenizer.ggml.add_{name}_token");
    match (metadata.opt_bool(&key)?, id) {
        (Some(true), None) => {
            let cause = format!("{key} is true and tokenizer.ggml.{name}_token_id is missing");
            Err(Error::BadFile { file: metadata.file().to_owned(), cause })
        }
        (adds, id) => Ok(id.filter(|_| adds.unwrap_or(default))),
    }
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

    fn finder(names: &[&str]) -> Finder {
        Finder::new((0..).zip(names.iter().copied())).unwrap()
    }

    fn found(names: &[&str], text: &str) -> Vec<(usize, u32)> {
        finder(names).find(text).map(|found| (found.range.start, found.id)).collect()
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
        let finder = finder(&names);
        let text: String = (0..100_000).map(|n| format!("<|reserved_{}|> words ", n % 9000)).collect();
        let mut read = 0;
        for (found, number) in finder.find(&text).zip((0..100_000).filter(|n| n % 9000 < 8000)) {
            // Each is handed out behind the last: nothing is read from the start again.
            assert!(found.range.start >= read);
            read = found.range.end;
            assert_eq!(found.id, number % 9000);
            assert_eq!(&text[found.range], names[found.id as usize]);
        }
        assert_eq!(finder.find(&text).count(), (0..100_000).filter(|n| n % 9000 < 8000).count());
    }
}
