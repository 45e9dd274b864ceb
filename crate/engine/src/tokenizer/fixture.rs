//! Tokenizers and chat templates of small files, for unit tests.

use std::io::Cursor;

use candle_core::quantized::gguf_file::Value;

use super::{ChatTemplate, Tokenizer, spell};
use crate::gguf::Gguf;
use crate::testing::{self, Entries};

/// A file of nothing but metadata: every byte is a token, `specials` come behind them.
pub(super) fn gguf(specials: &[&str], entries: &[(&str, &str)]) -> Gguf<Cursor<Vec<u8>>> {
    let entries: Vec<(&str, Value)> = entries.iter().map(|(key, value)| (*key, text(value))).collect();
    gguf_of(specials, &entries, &[])
}

pub(super) fn gguf_with_merges(specials: &[&str], merges: &[&str]) -> Gguf<Cursor<Vec<u8>>> {
    let merges = Value::Array(merges.iter().map(|m| text(m)).collect());
    gguf_of(specials, &[("tokenizer.ggml.merges", merges)], &[])
}

pub(super) fn gguf_of(
    specials: &[&str],
    entries: &[(&str, Value)],
    more: &[(&str, Value)],
) -> Gguf<Cursor<Vec<u8>>> {
    open(&byte_level(specials, &[entries, more].concat()))
}

/// Metadata of the tiny model with `entries` in the place of its own.
pub(super) fn with(entries: &[(&str, Value)]) -> Gguf<Cursor<Vec<u8>>> {
    open(&replaced(testing::metadata(), entries))
}

/// Metadata of a file whose tokens are the bytes, then `specials`.
pub(super) fn byte_level(specials: &[&str], entries: &[(&str, Value)]) -> Entries {
    let bytes = (0..=255).map(|byte| text(&spell(&[byte])));
    let types = (0..256 + specials.len()).map(|id| Value::I32(if id < 256 { 1 } else { 3 }));
    let own = [
        ("tokenizer.ggml.tokens", Value::Array(bytes.chain(specials.iter().map(|s| text(s))).collect())),
        ("tokenizer.ggml.token_type", Value::Array(types.collect())),
        ("tokenizer.ggml.bos_token_id", Value::U32(256)),
        ("tokenizer.ggml.eos_token_id", Value::U32(257)),
    ];
    let mut metadata = testing::metadata();
    metadata.retain(|(key, _)| key != "tokenizer.chat_template");
    replaced(replaced(metadata, &own), entries)
}

pub(super) fn open(metadata: &Entries) -> Gguf<Cursor<Vec<u8>>> {
    Gguf::open("small.gguf", Cursor::new(testing::write(metadata, &[]))).unwrap()
}

fn replaced(mut metadata: Entries, entries: &[(&str, Value)]) -> Entries {
    for (key, value) in entries {
        metadata.retain(|(old, _)| old != key);
        metadata.push(((*key).to_owned(), value.clone()));
    }
    metadata
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub(super) fn chat(specials: &[&str], template: &str) -> (Tokenizer, ChatTemplate) {
    let mut gguf = gguf(specials, &[("tokenizer.chat_template", template)]);
    let tokenizer = Tokenizer::from_gguf(&mut gguf).unwrap();
    let template = ChatTemplate::from_gguf(gguf.metadata(), &tokenizer).unwrap().unwrap();
    (tokenizer, template)
}

pub(super) fn parsed(specials: &[&str], template: &str) -> crate::error::Result<ChatTemplate> {
    let mut gguf = gguf(specials, &[("tokenizer.chat_template", template)]);
    let tokenizer = Tokenizer::from_gguf(&mut gguf)?;
    Ok(ChatTemplate::from_gguf(gguf.metadata(), &tokenizer)?.unwrap())
}
