//! How a text is cut before merging: what each name of `tokenizer.ggml.pre` stands for.

use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

use crate::error::{Error, Result};
use crate::gguf::Metadata;

/// One cut; the pieces it leaves go to the next.
#[derive(Clone, Copy)]
enum Split {
    /// Every digit alone.
    Digits,
    /// GPT-2's pattern, which is built into `ByteLevel`; its pieces are spelled in the byte alphabet, so it
    /// comes last.
    Gpt2,
}

/// Names, and their cuts in order.
const TABLE: &[(&str, &[Split])] = &[("gpt-2", &[Split::Gpt2]), ("smollm", &[Split::Digits, Split::Gpt2])];

/// A file that names none.
const UNNAMED: &str = "gpt-2";

/// The pre-tokenizer that the file names.
///
/// # Errors
/// The table lacks it: a wrong cut would give wrong tokens without a word.
pub(super) fn from_metadata(metadata: &Metadata) -> Result<PreTokenizerWrapper> {
    let name = metadata.opt_str("tokenizer.ggml.pre")?.unwrap_or(UNNAMED);
    let Some((_, splits)) = TABLE.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = TABLE.iter().map(|(known, _)| *known).collect();
        let cause = format!("pre-tokenizer {name}; supported are {}", known.join(" and "));
        return Err(Error::Unsupported { file: metadata.file().to_owned(), cause });
    };
    let splits = splits.iter().map(|split| match split {
        Split::Digits => Digits::new(true).into(),
        Split::Gpt2 => ByteLevel::new(false, false, true).into(),
    });
    Ok(Sequence::new(splits.collect()).into())
}

#[cfg(test)]
mod tests {
    use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};

    use super::*;
    use crate::tokenizer::fixture;

    fn named(name: &str) -> Result<PreTokenizerWrapper> {
        from_metadata(fixture::gguf(&["<s>", "</s>"], &[("tokenizer.ggml.pre", name)]).metadata())
    }

    fn pieces(name: &str, text: &str) -> Vec<String> {
        let mut text = PreTokenizedString::from(text);
        named(name).unwrap().pre_tokenize(&mut text).unwrap();
        let splits = text.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(piece, _, _)| piece.to_owned()).collect()
    }

    #[test]
    fn each_name_has_its_cuts() {
        assert_eq!(pieces("gpt-2", "it's 1234, two"), ["it", "'s", "Ġ1234", ",", "Ġtwo"]);
        assert_eq!(pieces("smollm", "it's 1234, two"), ["it", "'s", "Ġ", "1", "2", "3", "4", ",", "Ġtwo"]);
    }

    #[test]
    fn an_unknown_name_is_refused_by_name() {
        for name in ["qwen2", "llama-bpe", "", "GPT-2", "smollm "] {
            let error = named(name).err().unwrap().to_string();
            assert!(
                error.contains(&format!("pre-tokenizer {name}; supported are gpt-2 and smollm")),
                "{error}"
            );
        }
    }
}
