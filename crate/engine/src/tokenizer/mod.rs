//! The tokenizer a GGUF file describes: byte-level BPE over the file's own vocabulary and merges, with the
//! `tokenizers` crate doing the merging. Special tokens are found before it, so that whether a text may
//! contain them is the caller's choice, text by text.

mod bytes;
mod chat;
mod stream;

#[cfg(test)]
pub(crate) use bytes::spell;
pub use chat::{ChatTemplate, Message, Role};
pub use stream::TextStream;

use std::io::{Read, Seek};

use ahash::AHashMap;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{NormalizerWrapper, PostProcessorWrapper, TokenizerImpl};

use crate::error::{Error, Result};
use crate::gguf::{Gguf, Metadata, Texts};

/// Whether the names of special tokens in a text mean those tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Specials {
    /// `<|im_start|>` becomes that token: for templates.
    Parse,
    /// `<|im_start|>` is twelve characters: for what people wrote.
    AsText,
}

/// Numbers of `tokenizer.ggml.token_type` that are not ordinary text.
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// Names of tokens that end a turn in one family of models or another, beside the metadata's own.
const TURN_ENDS: [&str; 5] = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<end_of_turn>", "</s>"];

type Bpe = TokenizerImpl<
    BPE,
    NormalizerWrapper,
    PreTokenizerWrapper,
    PostProcessorWrapper,
    tokenizers::DecoderWrapper,
>;

/// Text to tokens and back.
pub struct Tokenizer {
    bpe: Bpe,
    /// Texts of all tokens, as the file spells them.
    tokens: Texts,
    /// Special tokens, the longest name first.
    specials: Vec<(Box<str>, u32)>,
    turn_ends: Vec<u32>,
    bos: Option<u32>,
    add_bos: bool,
    longest: usize,
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
        let tokens = gguf.texts("tokenizer.ggml.tokens")?;
        let specials = specials(gguf, &tokens)?;
        let bpe = bpe(gguf, &tokens)?;
        let metadata = gguf.metadata();
        let bos = special_id(metadata, "bos", tokens.len())?;
        Ok(Self {
            bpe,
            turn_ends: turn_ends(metadata, &tokens, &specials)?,
            add_bos: metadata.opt_bool("tokenizer.ggml.add_bos_token")?.unwrap_or(false) && bos.is_some(),
            longest: tokens.iter().map(str::len).max().unwrap_or(1).max(1),
            tokens,
            specials,
            bos,
        })
    }

    /// Tokens of `text`; nothing is added in front or behind.
    ///
    /// # Errors
    /// The BPE model refuses (it has no token for a byte).
    pub fn encode(&self, text: &str, specials: Specials) -> Result<Vec<u32>> {
        let mut out = Vec::new();
        match specials {
            Specials::AsText => self.encode_text(text, &mut out)?,
            Specials::Parse => {
                let mut rest = text;
                while let Some((at, name, id)) = self.next_special(rest) {
                    self.encode_text(&rest[..at], &mut out)?;
                    out.push(id);
                    rest = &rest[at + name.len()..];
                }
                self.encode_text(rest, &mut out)?;
            }
        }
        Ok(out)
    }

    /// Where the first special token's name stands in `text`, the longest of those that begin there.
    pub(crate) fn next_special(&self, text: &str) -> Option<(usize, &str, u32)> {
        self.specials
            .iter()
            .filter_map(|(name, id)| text.find(&**name).map(|at| (at, &**name, *id)))
            .min_by_key(|(at, name, _)| (*at, std::cmp::Reverse(name.len())))
    }

    fn encode_text(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let encoding = self.bpe.encode_fast(text, false).map_err(|error| Error::BadPrompt {
            cause: format!("it cannot be split into this model's tokens: {error}"),
        })?;
        out.extend_from_slice(encoding.get_ids());
        Ok(())
    }

    /// Text of these tokens, special ones left out; what is not UTF-8 becomes the replacement character.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.bytes(*id)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes a token stands for; none for a special token or one outside the vocabulary.
    pub(crate) fn bytes(&self, id: u32) -> Vec<u8> {
        match self.tokens.get(id as usize) {
            Some(text) if !self.is_special(id) => bytes::from_text(text),
            _ => Vec::new(),
        }
    }

    fn is_special(&self, id: u32) -> bool {
        self.specials.iter().any(|(_, special)| *special == id)
    }

    /// A decoder for tokens as they come.
    pub fn stream(&self) -> TextStream {
        TextStream::default()
    }

    /// Whether this token ends the model's turn.
    pub fn is_end_of_turn(&self, id: u32) -> bool {
        self.turn_ends.contains(&id)
    }

    /// Entries of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        self.tokens.len()
    }

    /// How the file spells a token.
    pub fn token_text(&self, id: u32) -> Option<&str> {
        self.tokens.get(id as usize)
    }

    /// The token that begins a text, if the model has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// Whether the model expects that token in front of every text.
    pub fn adds_bos(&self) -> bool {
        self.add_bos
    }

    /// Bytes of the longest token's spelling: no token covers more of a text.
    pub(crate) fn longest_token_bytes(&self) -> usize {
        self.longest
    }

    /// For a file without a chat template: what was said, line by line.
    pub(crate) fn plain_prompt(&self, messages: &[Message]) -> Result<Vec<u32>> {
        let text = messages.iter().map(|m| m.content.as_str()).collect::<Vec<_>>().join("\n");
        let mut ids: Vec<u32> = self.bos.filter(|_| self.add_bos).into_iter().collect();
        ids.extend(self.encode(&text, Specials::AsText)?);
        Ok(ids)
    }
}

/// Special tokens, the longest name first.
fn specials<R: Read + Seek>(gguf: &mut Gguf<R>, tokens: &Texts) -> Result<Vec<(Box<str>, u32)>> {
    let types = gguf.opt_integers("tokenizer.ggml.token_type")?.unwrap_or_default();
    let mut specials: Vec<(Box<str>, u32)> = (0..)
        .zip(tokens.iter())
        .zip(&types)
        .filter(|((_, text), kind)| matches!(**kind, CONTROL | USER_DEFINED) && !text.is_empty())
        .map(|((id, text), _)| (text.into(), id))
        .collect();
    specials.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
    Ok(specials)
}

fn bpe<R: Read + Seek>(gguf: &mut Gguf<R>, tokens: &Texts) -> Result<Bpe> {
    let pre_tokenizer = pre_tokenizer(gguf.metadata())?;
    let merges = merges(gguf)?;
    let vocabulary: AHashMap<String, u32> = tokens.iter().map(str::to_owned).zip(0..).collect();
    // Its cache would keep what was tokenised once, for ever; a prompt is tokenised in a millisecond or two.
    let model = BPE::builder().vocab_and_merges(vocabulary, merges).cache_capacity(0).build();
    let mut bpe = Bpe::new(model.map_err(|error| Error::BadFile {
        file: gguf.file().to_owned(),
        cause: format!("its vocabulary and merges do not go together: {error}"),
    })?);
    bpe.with_pre_tokenizer(Some(pre_tokenizer));
    Ok(bpe)
}

/// Pairs of tokens to merge, the first first.
fn merges<R: Read + Seek>(gguf: &mut Gguf<R>) -> Result<Vec<(String, String)>> {
    const KEY: &str = "tokenizer.ggml.merges";
    let merges = gguf.texts(KEY)?;
    let mut pairs = Vec::with_capacity(merges.len());
    for merge in merges.iter() {
        let (left, right) = merge.split_once(' ').ok_or_else(|| Error::BadFile {
            file: gguf.file().to_owned(),
            cause: format!("{KEY} has the entry {merge:?} without a space"),
        })?;
        pairs.push((left.to_owned(), right.to_owned()));
    }
    Ok(pairs)
}

/// How text is cut before merging. GPT-2's pattern is built into `ByteLevel`; the `smollm` family cuts every
/// digit apart first.
fn pre_tokenizer(metadata: &Metadata) -> Result<PreTokenizerWrapper> {
    let byte_level = ByteLevel::new(false, false, true);
    match metadata.opt_str("tokenizer.ggml.pre")?.unwrap_or("gpt-2") {
        "gpt-2" => Ok(byte_level.into()),
        "smollm" => Ok(Sequence::new(vec![Digits::new(true).into(), byte_level.into()]).into()),
        other => {
            let cause = format!("pre-tokenizer {other}; supported are gpt-2 and smollm");
            Err(Error::Unsupported { file: metadata.file().to_owned(), cause })
        }
    }
}

fn special_id(metadata: &Metadata, name: &str, vocabulary: usize) -> Result<Option<u32>> {
    let key = format!("tokenizer.ggml.{name}_token_id");
    match metadata.opt_usize(&key)? {
        Some(id) if id >= vocabulary => {
            let cause = format!("{key} is {id}, outside the vocabulary of {vocabulary}");
            Err(Error::BadFile { file: metadata.file().to_owned(), cause })
        }
        id => Ok(id.map(|id| id as u32)),
    }
}

fn turn_ends(metadata: &Metadata, tokens: &Texts, specials: &[(Box<str>, u32)]) -> Result<Vec<u32>> {
    let mut ends: Vec<u32> =
        specials.iter().filter(|(name, _)| TURN_ENDS.contains(&&**name)).map(|(_, id)| *id).collect();
    for name in ["eos", "eot"] {
        ends.extend(special_id(metadata, name, tokens.len())?);
    }
    ends.sort_unstable();
    ends.dedup();
    Ok(ends)
}
