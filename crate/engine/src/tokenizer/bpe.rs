//! Byte-level BPE: the file's vocabulary and merges, merged by the `tokenizers` crate.

use std::io::{Read, Seek};

use ahash::AHashMap;
use tokenizers::models::bpe::BPE;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::{DecoderWrapper, Model as _, NormalizerWrapper, PostProcessorWrapper, TokenizerImpl};

use super::pre_tokenizer;
use super::special::SpecialTokens;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::gguf::Gguf;

/// Pre-tokenizer and merges of one file.
pub(super) struct Bpe(
    TokenizerImpl<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>,
);

impl Bpe {
    pub(super) fn from_gguf<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        vocabulary: &Vocabulary,
        specials: &SpecialTokens,
    ) -> Result<Self> {
        let pre_tokenizer = pre_tokenizer::from_metadata(gguf.metadata())?;
        let merges = merges(gguf)?;
        // Where an ordinary token is spelled as a special one is, text means the ordinary one: it comes last.
        let tokens = vocabulary.texts().map(str::to_owned).zip(0..);
        let (special, ordinary): (Vec<_>, Vec<_>) = tokens.partition(|(_, id)| specials.contains(*id));
        let ids: AHashMap<String, u32> = special.into_iter().chain(ordinary).collect();
        // Its cache would keep what was tokenised once, for ever; a prompt is tokenised in a millisecond or
        // two.
        let model = BPE::builder().vocab_and_merges(ids, merges).cache_capacity(0).build();
        let mut bpe = TokenizerImpl::new(model.map_err(|error| Error::BadFile {
            file: gguf.file().to_owned(),
            cause: format!("its vocabulary and merges do not go together: {error}"),
        })?);
        bpe.with_pre_tokenizer(Some(pre_tokenizer));
        Ok(Self(bpe))
    }

    /// The tokens of `text`, in which no special token is looked for; merges may still make one.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.0.encode_fast(text, false).map_err(|error| Error::BadPrompt {
            cause: format!("it cannot be split into this model's tokens: {error}"),
        })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The token that is spelled so.
    pub(super) fn token(&self, spelling: &str) -> Option<u32> {
        self.0.get_model().token_to_id(spelling)
    }
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
