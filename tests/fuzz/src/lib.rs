//! What is fuzzed: everything that reads a model file's own words. Each takes any bytes, and must come back without a
//! panic, in bounded time and memory.

use std::io::Cursor;

use engine::gguf::Gguf;
use engine::model::Plan;
use engine::tokenizer::{ChatTemplate, Specials};
use engine::{Message, Role, Tokenizer};

/// Positions that a plan is made for.
const CONTEXT: usize = 4096;

/// Bytes of tensors behind a header: enough for each of the corpus.
const TENSORS: usize = 1 << 19;

/// A value of the metadata.
enum Entry<'a> {
    Text(&'a str),
    Number(u32),
    Texts(Vec<String>),
    Integers(Vec<i32>),
    Floats(Vec<f32>),
}

/// A GGUF file, version 3, of metadata alone.
fn gguf(entries: &[(&str, Entry<'_>)]) -> Vec<u8> {
    fn text(out: &mut Vec<u8>, text: &str) {
        out.extend((text.len() as u64).to_le_bytes());
        out.extend(text.bytes());
    }
    fn list<T>(out: &mut Vec<u8>, kind: u32, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
        out.extend(9u32.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend((items.len() as u64).to_le_bytes());
        items.iter().for_each(|item| write(out, item));
    }
    let mut out = b"GGUF".to_vec();
    out.extend(3u32.to_le_bytes());
    out.extend(0u64.to_le_bytes());
    out.extend((entries.len() as u64).to_le_bytes());
    for (key, value) in entries {
        text(&mut out, key);
        match value {
            Entry::Text(value) => {
                out.extend(8u32.to_le_bytes());
                text(&mut out, value);
            }
            Entry::Number(value) => {
                out.extend(4u32.to_le_bytes());
                out.extend(value.to_le_bytes());
            }
            Entry::Texts(items) => list(&mut out, 8, items, |out, item| text(out, item)),
            Entry::Integers(items) => list(&mut out, 5, items, |out, item| out.extend(item.to_le_bytes())),
            Entry::Floats(items) => list(&mut out, 6, items, |out, item| out.extend(item.to_le_bytes())),
        }
    }
    out
}

/// How byte-level vocabularies spell the 256 bytes: printable ones as themselves, the others from U+0100 on.
fn bytes() -> impl Iterator<Item = String> {
    let mut next = 0x100;
    (0..=255u32).map(move |byte| {
        let printable = matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
        let code = if printable {
            byte
        } else {
            next += 1;
            next - 1
        };
        char::from_u32(code).unwrap_or_default().to_string()
    })
}

/// A file's header, the plan that its keys make, and its tokenizer. Tensors are zeros behind the header.
pub fn header(data: &[u8]) {
    let mut file = vec![0; data.len() + TENSORS];
    file[..data.len()].copy_from_slice(data);
    let Ok(mut gguf) = Gguf::open("fuzz.gguf", Cursor::new(file)) else { return };
    Plan::of(&gguf, CONTEXT).ok();
    let Ok(tokenizer) = Tokenizer::from_gguf(&mut gguf) else { return };
    ChatTemplate::from_gguf(gguf.metadata(), &tokenizer).ok();
}

/// A tokenizer's metadata and a text for it. Paragraphs: kind and pre-tokenizer, a line each; tokens; merges; types,
/// a digit each; the text.
pub fn tokenizer(data: &[u8]) {
    let data = String::from_utf8_lossy(data);
    let mut parts = data.splitn(5, "\n\n");
    let mut part = || parts.next().unwrap_or_default();
    let (kind, pre) = part().split_once('\n').unwrap_or(("gpt2", "default"));
    let tokens: Vec<String> = bytes().chain(part().lines().map(str::to_owned)).collect();
    let merges = part().lines().map(str::to_owned).collect();
    let given = part().bytes().map(|digit| i32::from(digit) - i32::from(b'0'));
    let types = std::iter::repeat_n(1, 256).chain(given).chain(std::iter::repeat(1)).take(tokens.len());
    let text = part();
    let scores = (0..tokens.len()).map(|id| -(id as f32)).collect();
    let file = gguf(&[
        ("tokenizer.ggml.model", Entry::Text(kind)),
        ("tokenizer.ggml.pre", Entry::Text(pre)),
        ("tokenizer.ggml.token_type", Entry::Integers(types.collect())),
        ("tokenizer.ggml.scores", Entry::Floats(scores)),
        ("tokenizer.ggml.bos_token_id", Entry::Number(256)),
        ("tokenizer.ggml.eos_token_id", Entry::Number(257)),
        ("tokenizer.ggml.merges", Entry::Texts(merges)),
        ("tokenizer.ggml.tokens", Entry::Texts(tokens)),
    ]);
    let Ok(mut gguf) = Gguf::open("fuzz.gguf", Cursor::new(file)) else { return };
    let Ok(tokenizer) = Tokenizer::from_gguf(&mut gguf) else { return };
    for specials in [Specials::AsText, Specials::Parse] {
        if let Ok(ids) = tokenizer.encode(text, specials) {
            tokenizer.decode(&ids);
        }
    }
}

/// A chat template and what is said, with a zero byte between them; a text that begins with `#` is a system message.
pub fn template(data: &[u8]) {
    let data = String::from_utf8_lossy(data);
    let mut parts = data.split('\0');
    let source = parts.next().unwrap_or_default();
    let specials = ["<s>", "</s>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "user", "\n"];
    let tokens: Vec<String> = bytes().chain(specials.map(str::to_owned)).collect();
    let types = (0..tokens.len()).map(|id| if id < 256 { 1 } else { 3 }).collect();
    let file = gguf(&[
        ("tokenizer.ggml.model", Entry::Text("gpt2")),
        ("tokenizer.ggml.pre", Entry::Text("smollm")),
        ("tokenizer.ggml.token_type", Entry::Integers(types)),
        ("tokenizer.ggml.bos_token_id", Entry::Number(256)),
        ("tokenizer.ggml.eos_token_id", Entry::Number(257)),
        ("tokenizer.ggml.merges", Entry::Texts(Vec::new())),
        ("tokenizer.ggml.tokens", Entry::Texts(tokens)),
        ("tokenizer.chat_template", Entry::Text(source)),
    ]);
    let Ok(mut gguf) = Gguf::open("fuzz.gguf", Cursor::new(file)) else { return };
    let Ok(tokenizer) = Tokenizer::from_gguf(&mut gguf) else { return };
    let Ok(Some(mut template)) = ChatTemplate::from_gguf(gguf.metadata(), &tokenizer) else { return };
    template.set_local_time(1_700_000_000);
    let roles = [Role::User, Role::Assistant].into_iter().cycle();
    let messages: Vec<Message> = parts
        .zip(roles)
        .map(|(content, role)| {
            let role = if content.starts_with('#') { Role::System } else { role };
            Message { role, content: content.to_owned() }
        })
        .collect();
    template.tokens(&messages, &tokenizer).ok();
}
