//! The key-value pairs of a GGUF file, written; the numbers are the format's for the types of values.

use serde_json::Value;

/// Key-value pairs, one behind the other.
#[derive(Default)]
pub(crate) struct Keys {
    count: u64,
    bytes: Vec<u8>,
}

impl Keys {
    fn key(&mut self, key: &str, kind: u32) {
        self.count += 1;
        put_text(&mut self.bytes, key);
        self.bytes.extend(kind.to_le_bytes());
    }

    pub(crate) fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(value) => self.text(key, value),
            Value::Bool(value) => self.truth(key, *value),
            Value::Array(values) => {
                let whole = |value: &Value| value.as_u64().expect("a whole number") as i32;
                self.integers(key, values.iter().map(whole));
            }
            number => match number.as_u64() {
                Some(whole) => self.integer(key, whole as usize),
                None => self.float(key, number.as_f64().expect("a number") as f32),
            },
        }
    }

    pub(crate) fn integer(&mut self, key: &str, value: usize) {
        self.key(key, 4);
        self.bytes.extend((value as u32).to_le_bytes());
    }

    fn float(&mut self, key: &str, value: f32) {
        self.key(key, 6);
        self.bytes.extend(value.to_le_bytes());
    }

    pub(crate) fn truth(&mut self, key: &str, value: bool) {
        self.key(key, 7);
        self.bytes.push(value.into());
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key, 8);
        put_text(&mut self.bytes, value);
    }

    pub(crate) fn texts(&mut self, key: &str, values: &[String]) {
        self.list(key, 8, values.len());
        values.iter().for_each(|value| put_text(&mut self.bytes, value));
    }

    pub(crate) fn integers(&mut self, key: &str, values: impl ExactSizeIterator<Item = i32>) {
        self.list(key, 5, values.len());
        values.for_each(|value| self.bytes.extend(value.to_le_bytes()));
    }

    pub(crate) fn floats(&mut self, key: &str, values: impl ExactSizeIterator<Item = f32>) {
        self.list(key, 6, values.len());
        values.for_each(|value| self.bytes.extend(value.to_le_bytes()));
    }

    fn list(&mut self, key: &str, kind: u32, len: usize) {
        self.key(key, 9);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend((len as u64).to_le_bytes());
    }

    /// The header of a file of so many tensors, up to their directory.
    pub(crate) fn header(self, tensors: usize) -> Vec<u8> {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        file.extend((tensors as u64).to_le_bytes());
        file.extend(self.count.to_le_bytes());
        file.extend(self.bytes);
        file
    }
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.bytes());
}
