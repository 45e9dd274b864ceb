//! Tokenizers and chat templates of small files, for unit tests.

use std::io::Cursor;

use candle_core::quantized::gguf_file::Value;

use super::{ChatTemplate, Tokenizer, spell};
use crate::gguf::Gguf;
use crate::testing;

/// A file of nothing but metadata: every byte is a token, `specials` come behind them.
pub(super) fn gguf(specials: &[&str], entries: &[(&str, &str)]) -> Gguf<Cursor<Vec<u8>>> {
    write(specials, &[], entries)
}

pub(super) fn gguf_with_merges(specials: &[&str], merges: &[&str]) -> Gguf<Cursor<Vec<u8>>> {
    write(specials, merges, &[])
}

fn write(specials: &[&str], merges: &[&str], entries: &[(&str, &str)]) -> Gguf<Cursor<Vec<u8>>> {
    let text = |text: &str| Value::String(text.to_owned());
    let mut metadata = testing::metadata();
    metadata.retain(|(key, _)| key != "tokenizer.chat_template");
    let mut set = |key: &str, value: Value| {
        metadata.retain(|(old, _)| old != key);
        metadata.push((key.to_owned(), value));
    };
    let bytes = (0..=255).map(|byte| text(&spell(&[byte])));
    set("tokenizer.ggml.tokens", Value::Array(bytes.chain(specials.iter().map(|s| text(s))).collect()));
    let types = (0..256 + specials.len()).map(|id| Value::I32(if id < 256 { 1 } else { 3 }));
    set("tokenizer.ggml.token_type", Value::Array(types.collect()));
    set("tokenizer.ggml.bos_token_id", Value::U32(256));
    set("tokenizer.ggml.eos_token_id", Value::U32(257));
    if !merges.is_empty() {
        set("tokenizer.ggml.merges", Value::Array(merges.iter().map(|m| text(m)).collect()));
    }
    for (key, value) in entries {
        set(key, text(value));
    }
    Gguf::open("small.gguf", Cursor::new(testing::write(&metadata, &[]))).unwrap()
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
