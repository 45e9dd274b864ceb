//! Byte-level BPE: the file's vocabulary, and its merges in their order.

use std::io::{Read, Seek};

use ahash::AHashMap;

use super::bytes;
use super::merge::{Join, Merger, Symbol};
use super::pre_tokenizer::PreTokenizer;
use super::vocabulary::{Index, Kind, Vocabulary};
use crate::error::{Error, Result};
use crate::gguf::Gguf;

const MERGES: &str = "tokenizer.ggml.merges";

/// Pre-tokenizer and merges of one file.
pub(super) struct Bpe {
    pre_tokenizer: PreTokenizer,
    /// Tokens of single bytes.
    letters: Vec<Option<u32>>,
    /// By the two tokens that are joined.
    merges: AHashMap<[u32; 2], Join>,
    /// Where a word that is a token is not merged from letters.
    words: Option<Index>,
}

impl Bpe {
    pub(super) fn from_gguf<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        vocabulary: &Vocabulary,
        pre_tokenizer: PreTokenizer,
    ) -> Result<Self> {
        let index = Index::new(vocabulary);
        let letter = |byte| index.find(vocabulary, bytes::character(byte).encode_utf8(&mut [0; 4]));
        let sayable = |id: &u32| vocabulary.kind(*id) != Some(Kind::Control);
        let letters = (0..=255).map(|byte| letter(byte).filter(sayable)).collect();
        let merges = merges(gguf, vocabulary, &index)?;
        let words = pre_tokenizer.keeps_words().then_some(index);
        Ok(Self { pre_tokenizer, letters, merges, words })
    }

    /// Appends the tokens of `text`, none of them a control token.
    ///
    /// # Errors
    /// The vocabulary lacks a byte of it.
    pub(super) fn encode(&self, vocabulary: &Vocabulary, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let mut merger = Merger::default();
        self.pre_tokenizer.split(text, &mut |word| {
            if let Some(index) = &self.words {
                let token = index.find(vocabulary, &bytes::spell(word.as_bytes()));
                if let Some(id) = token.filter(|id| vocabulary.kind(*id) != Some(Kind::Control)) {
                    out.push(id);
                    return Ok(());
                }
            }
            merger.clear();
            for character in word.chars() {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    let token = self.letters[usize::from(byte)];
                    merger.push(1, Some(token.ok_or_else(|| no_token(character, byte))?));
                }
            }
            let join = |left: &Symbol, right: &Symbol| self.merges.get(&[left.token?, right.token?]).copied();
            out.extend(merger.merge(join).filter_map(|symbol| symbol.token));
            Ok(())
        })
    }
}

/// A character that the model cannot read.
pub(super) fn no_token(character: char, byte: u8) -> Error {
    let cause =
        format!("this model has no token for {character:?} (byte 0x{byte:02X}); leave that character out");
    Error::BadPrompt { cause }
}

/// The file's merges by what they join, but for those that would make a control token: no text yields one.
fn merges<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    vocabulary: &Vocabulary,
    index: &Index,
) -> Result<AHashMap<[u32; 2], Join>> {
    let texts = gguf.texts(MERGES)?;
    let bad = |cause: String| Error::BadFile { file: gguf.file().to_owned(), cause };
    let mut merges = AHashMap::with_capacity(texts.len());
    let mut joined = String::new();
    for (rank, merge) in (0..).zip(texts.iter()) {
        let (left, right) = merge
            .split_once(' ')
            .ok_or_else(|| bad(format!("{MERGES} has the entry {merge:?} without a space")))?;
        joined.clear();
        joined.push_str(left);
        joined.push_str(right);
        let token = |text: &str| {
            let token = index.find(vocabulary, text);
            token.ok_or_else(|| {
                bad(format!(
                    "its vocabulary and merges do not go together: {merge:?} needs the token {text:?}"
                ))
            })
        };
        let (left, right, token) = (token(left)?, token(right)?, token(&joined)?);
        if vocabulary.kind(token) != Some(Kind::Control) {
            merges.entry([left, right]).or_insert(Join { rank, token });
        }
    }
    Ok(merges)
}
