//! Text to tokens and back.

use std::io::{Read, Seek};

use super::bpe::Bpe;
use super::keys;
use super::pre_tokenizer::PreTokenizer;
use super::sentencepiece::SentencePiece;
use super::special::{Defaults, SpecialTokens};
use super::vocabulary::{Kind, Spelling, Vocabulary};
use crate::error::{Error, Result};
use crate::gguf::Gguf;

/// Whether the names of control tokens in a text mean those tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Specials {
    /// `<|im_start|>` becomes that token: for templates.
    Parse,
    /// `<|im_start|>` is twelve characters: for what people wrote.
    AsText,
}

/// How text between special tokens is split.
enum Model {
    Bpe(Bpe),
    SentencePiece(SentencePiece),
}

/// Text to tokens and back.
pub struct Tokenizer {
    vocabulary: Vocabulary,
    specials: SpecialTokens,
    model: Model,
}

impl Tokenizer {
    /// Builds the tokenizer from the file's metadata.
    ///
    /// # Errors
    /// A key is missing, of the wrong type or not known, or the vocabulary is of a kind this engine does not
    /// have.
    pub fn from_gguf<R: Read + Seek>(gguf: &mut Gguf<R>) -> Result<Self> {
        keys::check(gguf.metadata())?;
        match gguf.metadata().str("tokenizer.ggml.model")? {
            "gpt2" => {
                let vocabulary = Vocabulary::from_gguf(gguf, Spelling::Bytes)?;
                let pre_tokenizer = PreTokenizer::from_metadata(gguf.metadata())?;
                let defaults = Defaults { bos: None, eos: None, adds_bos: pre_tokenizer.adds_bos() };
                let specials = SpecialTokens::from_gguf(gguf, &vocabulary, defaults)?;
                let model = Model::Bpe(Bpe::from_gguf(gguf, &vocabulary, pre_tokenizer)?);
                Ok(Self { vocabulary, specials, model })
            }
            "llama" => {
                let vocabulary = Vocabulary::from_gguf(gguf, Spelling::Text)?;
                let defaults = Defaults { bos: Some(1), eos: Some(2), adds_bos: true };
                let specials = SpecialTokens::from_gguf(gguf, &vocabulary, defaults)?;
                let model = Model::SentencePiece(SentencePiece::from_gguf(gguf, &vocabulary)?);
                Ok(Self { vocabulary, specials, model })
            }
            other => {
                let cause = format!(
                    "tokenizer model {other}; supported are gpt2 (byte-level BPE) and llama (SentencePiece)"
                );
                Err(Error::Unsupported { file: gguf.file().to_owned(), cause })
            }
        }
    }

    /// Tokens of `text`; nothing is added in front or behind.
    ///
    /// # Errors
    /// It holds a character that the model has no token for.
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

    /// Tokens of a whole text, with the tokens in front and behind that the model expects.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_whole(&self, text: &str, specials: Specials) -> Result<Vec<u32>> {
        let mut out = self.begun(self.encode(text, specials)?);
        out.extend(self.specials.ends());
        Ok(out)
    }

    /// `tokens` with the token in front that the model expects there, unless it stands there already.
    pub(crate) fn begun(&self, mut tokens: Vec<u32>) -> Vec<u32> {
        if let Some(bos) = self.specials.begins().filter(|bos| tokens.first() != Some(bos)) {
            tokens.insert(0, bos);
        }
        tokens
    }

    /// Appends the tokens of `text`, none of them a control token.
    fn encode_text(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        let mut done = 0;
        for found in self.specials.find_user_defined(text) {
            self.encode_plain(&text[done..found.range.start], out)?;
            out.push(found.id);
            done = found.range.end;
        }
        self.encode_plain(&text[done..], out)
    }

    /// Appends the tokens of `text`, in which no special token is looked for.
    fn encode_plain(&self, text: &str, out: &mut Vec<u32>) -> Result<()> {
        match &self.model {
            Model::Bpe(bpe) => bpe.encode(&self.vocabulary, text, out),
            Model::SentencePiece(pieces) => pieces.encode(&self.vocabulary, text, out),
        }
    }

    pub(super) fn specials(&self) -> &SpecialTokens {
        &self.specials
    }

    /// Text of these tokens, control tokens left out, and without the space that encoding puts in front; what
    /// is not UTF-8 becomes the replacement character.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| self.bytes(*id)).collect();
        let bytes = bytes.strip_prefix(b" ").filter(|_| self.adds_space()).unwrap_or(&bytes);
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The bytes a token stands for; none for a control token or one outside the vocabulary.
    pub(super) fn bytes(&self, id: u32) -> Vec<u8> {
        self.vocabulary.bytes(id)
    }

    /// Whether a text that comes after `tokens` is read as if a space stood in front.
    pub(super) fn adds_space_after(&self, tokens: &[u32]) -> bool {
        let special = |id: &u32| matches!(self.vocabulary.kind(*id), Some(Kind::Control | Kind::UserDefined));
        self.adds_space() && tokens.last().is_none_or(special)
    }

    fn adds_space(&self) -> bool {
        matches!(&self.model, Model::SentencePiece(pieces) if pieces.adds_space())
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
        self.specials.begins().is_some()
    }

    /// Bytes of a text that the longest token stands for: no token covers more.
    pub(crate) fn longest_token_bytes(&self) -> usize {
        self.vocabulary.longest()
    }
}
