//! Tiny models of every architecture, and the reference's logits of them. `tests/oracle/make_architectures.py` describes
//! the models, and says how the weights, which are not committed, are computed.

use serde_json::Value;

use crate::workspace;

/// A tiny model, and what the reference makes of it.
pub struct Case {
    /// What it is, for messages.
    pub name: String,
    /// Positions that the reference was loaded for.
    pub context: usize,
    /// A whole GGUF file.
    pub file: Vec<u8>,
    /// Ids that are read, one batch from position 0.
    pub tokens: Vec<u32>,
    /// (position, logits (vocabulary,)) of some.
    pub logits: Vec<(usize, Vec<f32>)>,
}

/// Every case of the golden file.
///
/// # Panics
/// Where the file is not what the script writes; so for all of these.
pub fn cases() -> Vec<Case> {
    let golden = golden();
    let tokens: Vec<u32> = list(&golden["tokens"]).iter().map(|id| count(id) as u32).collect();
    let case = |case: &Value| Case {
        name: text(&case["name"]).to_owned(),
        context: count(&case["context"]),
        file: file(case, count(&golden["vocabulary"])),
        tokens: tokens.clone(),
        logits: list(&case["logits"]).iter().map(|row| (count(&row[0]), numbers(&row[1]))).collect(),
    };
    list(&golden["cases"]).iter().map(case).collect()
}

/// The file of the case `name`, described otherwise: `metadata` is by key without the architecture's prefix, `general`
/// by whole key, `tensors` a list of name, shape, centre and spread.
pub fn altered(name: &str, alter: impl FnOnce(&mut Value)) -> Vec<u8> {
    let golden = golden();
    let mut case = list(&golden["cases"]).iter().find(|case| case["name"] == name).expect("a case").clone();
    alter(&mut case);
    file(&case, count(&golden["vocabulary"]))
}

fn golden() -> Value {
    let path = workspace().join("tests/golden/architectures.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Mean squared error over the mean square of what is wanted.
pub fn nmse(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let error: f64 = got.iter().zip(want).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    error / want.iter().map(|b| f64::from(*b).powi(2)).sum::<f64>()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn count(value: &Value) -> usize {
    value.as_u64().expect("a count") as usize
}

fn number(value: &Value) -> f32 {
    value.as_f64().expect("a number") as f32
}

fn numbers(value: &Value) -> Vec<f32> {
    list(value).iter().map(number).collect()
}

/// Element by element: centre + spread · u, u of splitmix64 seeded by the name's FNV-1a hash.
fn weights(name: &str, len: usize, centre: f32, spread: f32) -> impl Iterator<Item = f32> {
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |seed: u64, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (1..=len as u64).map(move |index| {
        let mut z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let u = ((z >> 40) as i32 - (1 << 23)) as f32 / (1 << 23) as f32;
        centre + spread * u
    })
}

/// The case's model with a vocabulary of bytes, as a GGUF file of f32.
fn file(case: &Value, vocabulary: usize) -> Vec<u8> {
    let architecture = text(&case["architecture"]);
    let mut keys = Keys::default();
    keys.text("general.architecture", architecture);
    for (key, value) in case["metadata"].as_object().into_iter().flatten() {
        keys.value(&format!("{architecture}.{key}"), value);
    }
    for (key, value) in case["general"].as_object().into_iter().flatten() {
        keys.value(key, value);
    }
    keys.text("tokenizer.ggml.model", "gpt2");
    keys.text("tokenizer.ggml.pre", "gpt-2");
    let bytes = (0..=255u8).map(spelled).chain((256..vocabulary).map(|id| format!("<{id}>")));
    keys.texts("tokenizer.ggml.tokens", &bytes.collect::<Vec<_>>());
    keys.integers("tokenizer.ggml.token_type", (0..vocabulary).map(|id| if id < 256 { 1 } else { 3 }));
    keys.texts("tokenizer.ggml.merges", &[]);
    keys.integer("tokenizer.ggml.eos_token_id", vocabulary - 1);

    let mut directory = Vec::new();
    let mut data: Vec<u8> = Vec::new();
    let tensors = list(&case["tensors"]);
    for tensor in tensors {
        let name = text(&tensor[0]);
        let shape: Vec<usize> = list(&tensor[1]).iter().map(count).collect();
        put_text(&mut directory, name);
        directory.extend((shape.len() as u32).to_le_bytes());
        // Innermost first.
        shape.iter().rev().for_each(|dimension| directory.extend((*dimension as u64).to_le_bytes()));
        // F32.
        directory.extend(0u32.to_le_bytes());
        directory.extend((data.len() as u64).to_le_bytes());
        let weights = weights(name, shape.iter().product(), number(&tensor[2]), number(&tensor[3]));
        weights.for_each(|weight| data.extend(weight.to_le_bytes()));
        data.resize(data.len().next_multiple_of(32), 0);
    }
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.extend((tensors.len() as u64).to_le_bytes());
    file.extend(keys.count.to_le_bytes());
    file.extend(keys.bytes);
    file.extend(directory);
    file.resize(file.len().next_multiple_of(32), 0);
    file.extend(data);
    file
}

/// A byte as GPT-2's vocabularies spell it: itself where it is a visible character, else one from 256 on.
fn spelled(byte: u8) -> String {
    let visible = |byte: u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let before = (0..byte).filter(|before| !visible(*before)).count() as u32;
    let code = if visible(byte) { u32::from(byte) } else { 256 + before };
    char::from_u32(code).expect("below the surrogates").to_string()
}

/// A GGUF's key-value pairs; the numbers are the format's for the types of values.
#[derive(Default)]
struct Keys {
    count: u64,
    bytes: Vec<u8>,
}

impl Keys {
    fn key(&mut self, key: &str, kind: u32) {
        self.count += 1;
        put_text(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
    }

    fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(value) => self.text(key, value),
            Value::Bool(value) => {
                self.key(key, 7);
                self.bytes.push((*value).into());
            }
            Value::Array(values) => self.integers(key, values.iter().map(|value| count(value) as i32)),
            whole if whole.is_u64() => self.integer(key, count(whole)),
            real => self.float(key, number(real)),
        }
    }

    fn integer(&mut self, key: &str, value: usize) {
        self.key(key, 4);
        self.bytes.extend((value as u32).to_le_bytes());
    }

    fn float(&mut self, key: &str, value: f32) {
        self.key(key, 6);
        self.bytes.extend(value.to_le_bytes());
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key, 8);
        put_text(&mut self.bytes, value);
    }

    fn texts(&mut self, key: &str, values: &[String]) {
        self.list(key, 8, values.len());
        values.iter().for_each(|value| put_text(&mut self.bytes, value));
    }

    fn integers(&mut self, key: &str, values: impl ExactSizeIterator<Item = i32>) {
        self.list(key, 5, values.len());
        values.for_each(|value| self.bytes.extend(value.to_le_bytes()));
    }

    fn list(&mut self, key: &str, kind: u32, len: usize) {
        self.key(key, 9);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((len as u64).to_le_bytes());
    }
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.bytes());
}
