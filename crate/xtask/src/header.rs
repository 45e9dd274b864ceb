//! What a catalogue entry needs of a GGUF header. The engine's own reader checks far more; this one links nothing of it.
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::catalogue::Needs;

/// Bytes of a text or elements of a list beyond which a header is not believed.
const MOST: u64 = 1 << 24;

/// Types of tensors: GGUF's number, name, elements and bytes of a block.
const TYPES: &[(u32, &str, u64, u64)] = &[
    (0, "F32", 1, 4),
    (1, "F16", 1, 2),
    (2, "Q4_0", 32, 18),
    (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22),
    (7, "Q5_1", 32, 24),
    (8, "Q8_0", 32, 34),
    (10, "Q2_K", 256, 84),
    (11, "Q3_K", 256, 110),
    (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176),
    (14, "Q6_K", 256, 210),
    (20, "IQ4_NL", 32, 18),
    (23, "IQ4_XS", 256, 136),
    (30, "BF16", 1, 2),
];

/// A value that is one number or one text; lists are passed over.
enum Value {
    Number(u64),
    Text(String),
}

/// A header's single values, and the bytes of each type of tensor.
pub(crate) struct Header {
    values: HashMap<String, Value>,
    types: HashMap<&'static str, u64>,
}

impl Header {
    /// Reads the header of a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
        let mut reader = Reader(BufReader::new(file));
        reader.header().context("its header could not be read")
    }

    /// A text's value.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key)? {
            Value::Text(text) => Some(text),
            Value::Number(_) => None,
        }
    }

    fn number(&self, key: &str) -> Option<u64> {
        match self.values.get(key)? {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        }
    }

    /// The type with the most bytes.
    pub(crate) fn quantization(&self) -> Option<String> {
        self.types.iter().max_by_key(|(_, bytes)| **bytes).map(|(name, _)| (*name).to_owned())
    }

    /// The numbers that memory follows from; none for a model whose layers differ in their heads.
    pub(crate) fn needs(&self) -> Option<Needs> {
        let architecture = self.text("general.architecture")?;
        let of = |key: &str| self.number(&format!("{architecture}.{key}"));
        let heads = of("attention.head_count")?;
        let kv_heads = match self.values.contains_key(&format!("{architecture}.attention.head_count_kv")) {
            true => of("attention.head_count_kv")?,
            false => heads,
        };
        let width = of("attention.key_length").or_else(|| of("embedding_length")?.checked_div(heads))?;
        let halves = 2 * 2;
        Some(Needs {
            weights: self.types.values().sum(),
            kv_bytes_per_token: [kv_heads, width, halves]
                .iter()
                .try_fold(of("block_count")?, |a, b| a.checked_mul(*b))?,
            context: of("context_length")?,
        })
    }
}

struct Reader(BufReader<File>);

impl Reader {
    fn header(&mut self) -> Result<Header> {
        ensure!(self.take()? == *b"GGUF", "it is no GGUF file");
        let version = self.u32()?;
        ensure!((2..=3).contains(&version), "GGUF version {version}; supported are 2 and 3");
        let (tensors, keys) = (self.u64()?, self.u64()?);
        let mut header = Header { values: HashMap::new(), types: HashMap::new() };
        for _ in 0..keys {
            let key = self.text()?;
            let kind = self.u32()?;
            if let Some(value) = self.value(kind).with_context(|| format!("metadata {key}"))? {
                header.values.insert(key, value);
            }
        }
        for _ in 0..tensors {
            let name = self.text()?;
            let (name, bytes) = self.tensor().with_context(|| format!("tensor {name}"))?;
            *header.types.entry(name).or_default() += bytes;
        }
        Ok(header)
    }

    fn tensor(&mut self) -> Result<(&'static str, u64)> {
        let rank = self.u32()?;
        ensure!((1..=4).contains(&rank), "it has {rank} dimensions");
        let mut elements = 1u64;
        for _ in 0..rank {
            elements = elements.checked_mul(self.u64()?).context("it is impossibly large")?;
        }
        let kind = self.u32()?;
        self.u64()?;
        let known = TYPES.iter().find(|(number, ..)| *number == kind);
        let (_, name, block, bytes) =
            known.with_context(|| format!("its type, number {kind}, is not known"))?;
        Ok((name, (elements / block).checked_mul(*bytes).context("it is impossibly large")?))
    }

    /// A value; none for a list.
    fn value(&mut self, kind: u32) -> Result<Option<Value>> {
        Ok(Some(match kind {
            0 | 7 => Value::Number(self.take::<1>()?[0].into()),
            2 => Value::Number(u16::from_le_bytes(self.take()?).into()),
            4 => Value::Number(self.u32()?.into()),
            10 => Value::Number(self.u64()?),
            8 => Value::Text(self.text()?),
            9 => {
                let (kind, len) = (self.u32()?, self.u64()?);
                ensure!(len <= MOST, "it claims {len} elements");
                ensure!(kind != 9, "it is a list of lists");
                for _ in 0..len {
                    self.value(kind)?;
                }
                return Ok(None);
            }
            1 => {
                self.take::<1>()?;
                return Ok(None);
            }
            3 => {
                self.take::<2>()?;
                return Ok(None);
            }
            5 => Value::Number(u64::try_from(i32::from_le_bytes(self.take()?)).unwrap_or_default()),
            6 => {
                self.take::<4>()?;
                return Ok(None);
            }
            11 | 12 => {
                self.take::<8>()?;
                return Ok(None);
            }
            other => bail!("it has the unknown type {other}"),
        }))
    }

    fn text(&mut self) -> Result<String> {
        let len = self.u64()?;
        ensure!(len <= MOST, "a text claims {len} bytes");
        let mut bytes = Vec::new();
        self.0.by_ref().take(len).read_to_end(&mut bytes)?;
        ensure!(bytes.len() as u64 == len, "it is cut short");
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).context("it is cut short")?;
        Ok(bytes)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Header;

    fn text(value: &str) -> Vec<u8> {
        [&(value.len() as u64).to_le_bytes(), value.as_bytes()].concat()
    }

    fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
        [text(key).as_slice(), &kind.to_le_bytes(), value].concat()
    }

    /// A header with two tensors of 32 in Q8_0.
    pub(crate) fn tiny(license: Option<&str>) -> Vec<u8> {
        let number = |key: &str, value: u32| entry(key, 4, &value.to_le_bytes());
        let mut list = [8u32.to_le_bytes().as_slice(), &2u64.to_le_bytes()].concat();
        list.extend([text("a"), text("b")].concat());
        let mut entries = vec![
            entry("general.architecture", 8, &text("llama")),
            entry("general.name", 8, &text("Tiny")),
            entry("tokenizer.ggml.tokens", 9, &list),
            entry("llama.rope.freq_base", 6, &1f32.to_le_bytes()),
            number("llama.block_count", 2),
            number("llama.context_length", 64),
            number("llama.embedding_length", 32),
            number("llama.attention.head_count", 2),
            number("llama.attention.head_count_kv", 1),
        ];
        entries.extend(license.map(|license| entry("general.license", 8, &text(license))));
        let tensor = |name: &str, offset: u64| {
            let shape = [1u32.to_le_bytes().as_slice(), &32u64.to_le_bytes()].concat();
            [text(name).as_slice(), &shape, &8u32.to_le_bytes(), &offset.to_le_bytes()].concat()
        };
        let counts = [2u64.to_le_bytes(), (entries.len() as u64).to_le_bytes()].concat();
        [
            b"GGUF\x03\0\0\0".as_slice(),
            &counts,
            &entries.concat(),
            &tensor("a", 0),
            &tensor("b", 64),
            &[0; 256],
        ]
        .concat()
    }

    #[test]
    fn what_is_no_header_is_refused_with_the_cause() {
        let path = std::env::temp_dir().join(format!("nibble-header-{}", std::process::id()));
        let good = tiny(None);
        let huge = [&good[..8], &u64::MAX.to_le_bytes(), &good[16..]].concat();
        for (bytes, cause) in [
            (b"PK\x03\x04".as_slice(), "no GGUF file"),
            (&good[..40], "cut short"),
            (&huge, "0 dimensions"),
            (b"GGUF\x01\0\0\0", "version 1"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = format!("{:#}", Header::read(&path).err().unwrap());
            assert!(error.contains(cause), "{cause}: {error}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
