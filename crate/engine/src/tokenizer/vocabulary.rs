//! The texts of all tokens, as the file spells them, and what kind of token each is.

use std::io::{Read, Seek};

use ahash::RandomState;
use hashbrown::HashTable;

use super::bytes;
use crate::error::{Error, Result};
use crate::gguf::{Gguf, Texts};

/// Bytes of the longest spelling accepted; real ones have up to a few hundred.
const MAX_SPELLING: usize = 1 << 12;

/// Stands for a space in SentencePiece.
pub(super) const SPACE: char = '\u{2581}';

/// Texts that end the model's turn in one family of models or another, whatever else the file says: the list
/// of llama.cpp, those of fill-in-the-middle that end a file or a repository among them.
const END_OF_GENERATION: [&str; 33] = [
    "<|eot_id|>",
    "<|im_end|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|flush|>",
    "<|calls|>",
    "<end_of_turn>",
    "<|endoftext|>",
    "</s>",
    "<|eom_id|>",
    "<EOT>",
    "_<EOT>",
    "[EOT]",
    "[EOS]",
    "<|end_of_text|>",
    "<end_of_utterance>",
    "<eos>",
    "<turn|>",
    "<｜end▁of▁sentence｜>",
    "[e~[",
    "<|fim_pad|>",
    "<fim-pad>",
    "<fim_pad>",
    "<PAD>",
    "[PAD]",
    "<|fim_repo|>",
    "<|repo_name|>",
    "<fim-repo>",
    "<REPO>",
    "<reponame>",
    "<|file_sep|>",
    "<|tool_response>",
];

/// What a token is, by the numbers of `tokenizer.ggml.token_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of text; unused tokens count as such.
    Normal,
    /// Means something to the model; no text yields it. The unknown token is one.
    Control,
    /// A text that is one token wherever it stands, whoever wrote it.
    UserDefined,
    /// One byte, spelled `<0x0A>`.
    Byte,
}

impl Kind {
    fn new(number: i64, text: &str) -> Self {
        match number {
            2 | 3 => Self::Control,
            _ if END_OF_GENERATION.contains(&text) => Self::Control,
            4 if looks_special(text) => Self::Control,
            4 => Self::UserDefined,
            6 if hexadecimal(text).is_some() => Self::Byte,
            _ => Self::Normal,
        }
    }
}

/// Tokens like these begin and end turns; older files say of some that people may write them.
fn looks_special(text: &str) -> bool {
    (text.starts_with("<|") && text.ends_with("|>")) || (text.starts_with("<｜") && text.ends_with("｜>"))
}

/// The byte that `<0x0A>` stands for.
fn hexadecimal(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let hexadecimal = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    hexadecimal.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// How normal tokens are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// A character for every byte: [`bytes`].
    Bytes,
    /// As text, with [`SPACE`] for a space.
    Text,
}

/// Tokens by their ids.
pub(super) struct Vocabulary {
    tokens: Texts,
    kinds: Vec<Kind>,
    spelling: Spelling,
    longest: usize,
}

impl Vocabulary {
    pub(super) fn from_gguf<R: Read + Seek>(gguf: &mut Gguf<R>, spelling: Spelling) -> Result<Self> {
        let tokens = gguf.texts("tokenizer.ggml.tokens")?;
        let bad = |cause: String| Error::BadFile { file: gguf.file().to_owned(), cause };
        if let Some(long) = tokens.iter().map(str::len).find(|len| *len > MAX_SPELLING) {
            return Err(bad(format!("it has a token of {long} bytes, above {MAX_SPELLING}")));
        }
        const TYPES: &str = "tokenizer.ggml.token_type";
        let types = gguf.opt_integers(TYPES)?.unwrap_or_else(|| vec![1; tokens.len()]);
        if types.len() < tokens.len() {
            let cause = format!("{TYPES} has {} entries for {} tokens", types.len(), tokens.len());
            return Err(Error::BadFile { file: gguf.file().to_owned(), cause });
        }
        let kinds = tokens.iter().zip(types).map(|(text, number)| Kind::new(number, text)).collect();
        let mut vocabulary = Self { tokens, kinds, spelling, longest: 1 };
        let ids = 0..vocabulary.len() as u32;
        vocabulary.longest = ids.map(|id| vocabulary.covers(id)).max().unwrap_or(1).max(1);
        Ok(vocabulary)
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn text(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize)
    }

    /// The kind of a token; none outside the vocabulary.
    pub(super) fn kind(&self, id: u32) -> Option<Kind> {
        self.kinds.get(id as usize).copied()
    }

    /// Ids and texts of all tokens of a kind that have a text, ids ascending.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (u32, &str)> {
        let tokens = (0..).zip(self.tokens.iter()).zip(&self.kinds);
        tokens.filter(move |((_, text), of)| **of == kind && !text.is_empty()).map(|(token, _)| token)
    }

    /// Whether this token is always the end of the model's turn.
    pub(super) fn ends_generation(&self, id: u32) -> bool {
        self.text(id).is_some_and(|text| END_OF_GENERATION.contains(&text))
    }

    /// The bytes that a token stands for; none for a control token or outside the vocabulary.
    pub(super) fn bytes(&self, id: u32) -> Vec<u8> {
        let (Some(text), Some(kind)) = (self.text(id), self.kind(id)) else { return Vec::new() };
        match (kind, self.spelling) {
            (Kind::Control, _) => Vec::new(),
            (Kind::UserDefined, _) => text.into(),
            (Kind::Byte, _) => hexadecimal(text).into_iter().collect(),
            (Kind::Normal, Spelling::Text) => text.replace(SPACE, " ").into(),
            (Kind::Normal, Spelling::Bytes) => {
                let mut out = Vec::with_capacity(text.len());
                for character in text.chars() {
                    match bytes::byte(character) {
                        Some(byte) => out.push(byte),
                        // Outside the alphabet a character stands for its own UTF-8.
                        None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
                    }
                }
                out
            }
        }
    }

    /// Bytes of a text that a token stands for.
    fn covers(&self, id: u32) -> usize {
        let (Some(text), Some(kind)) = (self.text(id), self.kind(id)) else { return 0 };
        let letter = |character: char| match self.spelling {
            Spelling::Bytes if bytes::byte(character).is_some() => 1,
            Spelling::Text if character == SPACE => 1,
            _ => character.len_utf8(),
        };
        match kind {
            Kind::Control | Kind::UserDefined => text.len(),
            Kind::Byte => 1,
            Kind::Normal => text.chars().map(letter).sum(),
        }
    }

    /// Bytes of a text that the longest token stands for, 1 at least.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }
}

/// Tokens by their texts.
pub(super) struct Index {
    ids: HashTable<u32>,
    hasher: RandomState,
}

impl Index {
    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let hasher = RandomState::new();
        let mut ids = HashTable::with_capacity(vocabulary.len());
        for (id, text) in (0..).zip(vocabulary.tokens.iter()) {
            let hash = |id: &u32| hasher.hash_one(vocabulary.text(*id));
            match ids.find_mut(hasher.hash_one(Some(text)), |known| vocabulary.text(*known) == Some(text)) {
                // Where an ordinary token is spelled as a special one is, text means the ordinary one.
                Some(known) if vocabulary.kind(*known) == Some(Kind::Control) => *known = id,
                Some(_) => {}
                None => {
                    ids.insert_unique(hasher.hash_one(Some(text)), id, hash);
                }
            }
        }
        Self { ids, hasher }
    }

    /// The token that is spelled so, be it of any kind.
    pub(super) fn find(&self, vocabulary: &Vocabulary, text: &str) -> Option<u32> {
        let same = |id: &u32| vocabulary.text(*id) == Some(text);
        self.ids.find(self.hasher.hash_one(Some(text)), same).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_what_the_file_says_but_for_ends_of_turns() {
        assert_eq!(Kind::new(1, "a"), Kind::Normal);
        assert_eq!(Kind::new(5, "<unused1>"), Kind::Normal);
        assert_eq!(Kind::new(2, "<unk>"), Kind::Control);
        assert_eq!(Kind::new(4, "<think>"), Kind::UserDefined);
        assert_eq!(Kind::new(6, "<0x0A>"), Kind::Byte);
        assert_eq!(Kind::new(6, "<0x0A"), Kind::Normal);
        assert_eq!(Kind::new(1, "<end_of_turn>"), Kind::Control);
        assert_eq!(Kind::new(4, "<|im_start|>"), Kind::Control);
    }

    #[test]
    fn byte_tokens_are_read_in_either_case_and_nothing_else_is() {
        assert_eq!(hexadecimal("<0xE2>"), Some(0xe2));
        assert_eq!(hexadecimal("<0xe2>"), Some(0xe2));
        for text in ["<0x+2>", "<0xE>", "<0xE21>", "0xE2", "<0xEé>"] {
            assert_eq!(hexadecimal(text), None, "{text}");
        }
    }
}
