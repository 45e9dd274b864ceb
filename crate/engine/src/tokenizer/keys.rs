//! Every `tokenizer.*` key of a file is read by this room, is known to be without effect here, or is why the
//! file is refused.

use crate::error::{Error, Result};
use crate::gguf::Metadata;

/// Keys that are read.
const READ: &[&str] = &[
    "tokenizer.ggml.model",
    "tokenizer.ggml.pre",
    "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.scores",
    "tokenizer.ggml.merges",
    "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.eom_token_id",
    "tokenizer.ggml.fim_pad_token_id",
    "tokenizer.ggml.fim_rep_token_id",
    "tokenizer.ggml.fim_sep_token_id",
    "tokenizer.ggml.add_bos_token",
    "tokenizer.ggml.add_eos_token",
    "tokenizer.ggml.add_space_prefix",
    "tokenizer.chat_template",
];

/// Keys that change nothing here: names of tokens for other uses than conversation, other spellings of what
/// the keys above say, and other templates than the default one.
const WITHOUT_EFFECT: &[&str] = &[
    // What a text without a known letter becomes elsewhere; here such a text is refused.
    "tokenizer.ggml.unknown_token_id",
    "tokenizer.ggml.padding_token_id",
    // For pairs of texts and for masked ones.
    "tokenizer.ggml.seperator_token_id",
    "tokenizer.ggml.mask_token_id",
    "tokenizer.ggml.cls_token_id",
    "tokenizer.ggml.token_type_count",
    // For filling in the middle.
    "tokenizer.ggml.prefix_token_id",
    "tokenizer.ggml.suffix_token_id",
    "tokenizer.ggml.middle_token_id",
    "tokenizer.ggml.fim_pre_token_id",
    "tokenizer.ggml.fim_suf_token_id",
    "tokenizer.ggml.fim_mid_token_id",
    "tokenizer.ggml.added_tokens",
    "tokenizer.huggingface.json",
    "tokenizer.rwkv.world",
    "tokenizer.chat_templates",
];

/// Keys that change nothing while they say no.
const NOT_TRUE: &[&str] = &[
    "tokenizer.ggml.add_sep_token",
    "tokenizer.ggml.remove_extra_whitespaces",
    "tokenizer.ggml.normalizer.lowercase",
    "tokenizer.ggml.normalizer.strip_accents",
];

/// Named templates beside the default one, which nobody asks for.
const NAMED_TEMPLATE: &str = "tokenizer.chat_template.";

/// # Errors
/// The file has a `tokenizer.*` key that would change the tokens of a text in a way this engine does not have,
/// or that is not known.
pub(super) fn check(metadata: &Metadata) -> Result<()> {
    let unsupported = |cause| Err(Error::Unsupported { file: metadata.file().to_owned(), cause });
    for key in NOT_TRUE {
        if metadata.opt_bool(key)? == Some(true) {
            return unsupported(format!("metadata {key} true"));
        }
    }
    let known = |key: &&str| READ.contains(key) || WITHOUT_EFFECT.contains(key) || NOT_TRUE.contains(key);
    let of_tokenizer = |key: &&str| key.starts_with("tokenizer.") && !key.starts_with(NAMED_TEMPLATE);
    match metadata.keys().filter(of_tokenizer).filter(|key| !known(key)).min() {
        Some(key) => {
            unsupported(format!("metadata {key}; what it means for the tokens of a text is not known"))
        }
        None => Ok(()),
    }
}
