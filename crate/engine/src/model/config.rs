//! Hyper-parameters, read from the file's metadata and checked before anything is allocated by them.

use crate::error::{Error, Result};
use crate::gguf::Metadata;

/// A model's hyper-parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Architecture name in the metadata, e.g. `llama`.
    pub architecture: String,
    /// Transformer layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub width: usize,
    /// Query heads.
    pub heads: usize,
    /// Key-value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head, a multiple of 8: attention's kernels take as many columns at a time.
    pub head_dim: usize,
    /// Leading part of a head that is rotated, even.
    pub rope_dim: usize,
    /// Width of the feed-forward network.
    pub ffn: usize,
    /// Entries of the vocabulary.
    pub vocabulary: usize,
    /// Positions the model was trained on.
    pub context: usize,
    /// Base of the rotation angles.
    pub rope_base: f32,
    /// Added to the mean square in a norm.
    pub norm_eps: f32,
}

impl Config {
    /// Reads the hyper-parameters of a `llama` file.
    ///
    /// # Errors
    /// Another architecture, a missing key, or a value outside what any real model has: the sentence names
    /// the key and the value.
    pub fn from_metadata(file: &str, metadata: &Metadata) -> Result<Self> {
        let architecture = supported(file, metadata)?;
        let bad = |cause| Error::BadFile { file: file.to_owned(), cause };
        let key = |name: &str| format!("{architecture}.{name}");
        let bounded = |name: &str, value: usize, max: usize| match value {
            0 => Err(bad(format!("{} is 0", key(name)))),
            v if v > max => Err(bad(format!("{} is {v}, above {max}", key(name)))),
            v => Ok(v),
        };
        let required = |name: &str, max| bounded(name, metadata.usize(&key(name))?, max);
        let optional =
            |name: &str, default, max| bounded(name, metadata.opt_usize(&key(name))?.unwrap_or(default), max);

        let width = required("embedding_length", 1 << 16)?;
        let heads = required("attention.head_count", 1024)?;
        let kv_heads = optional("attention.head_count_kv", heads, heads)?;
        let head_dim = optional("attention.key_length", width / heads, 1024)?;
        let rope_dim = optional("rope.dimension_count", head_dim, head_dim)?;
        if !heads.is_multiple_of(kv_heads) || !rope_dim.is_multiple_of(2) || !head_dim.is_multiple_of(8) {
            let found =
                format!("{heads} heads of {head_dim}, {kv_heads} key-value heads, {rope_dim} rotated");
            return Err(bad(format!(
                "{found}: heads share key-value heads evenly, 8 divides a head, 2 the rotated"
            )));
        }
        Ok(Self {
            layers: required("block_count", 1024)?,
            ffn: required("feed_forward_length", 1 << 18)?,
            vocabulary: metadata.len("tokenizer.ggml.tokens")?,
            context: required("context_length", 1 << 24)?,
            rope_base: metadata.opt_f32(&key("rope.freq_base"))?.unwrap_or(10_000.0),
            norm_eps: metadata.f32(&key("attention.layer_norm_rms_epsilon"))?,
            architecture,
            width,
            heads,
            kv_heads,
            head_dim,
            rope_dim,
        })
    }

    /// Width of all queries of a token.
    pub fn query_width(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Width of all keys (or values) of a token.
    pub fn kv_width(&self) -> usize {
        self.kv_heads * self.head_dim
    }

    /// Bytes of the keys and values of `positions`, two each. The processor keeps a scale beside every head's, a
    /// thirty-second of it at a width of 64.
    pub fn kv_bytes(&self, positions: usize) -> u64 {
        // In 64 bits throughout: a hostile header must not wrap around where addresses have 32.
        [self.layers, self.kv_heads, self.head_dim, positions, 2 * size_of::<u16>()]
            .into_iter()
            .fold(1, |bytes: u64, factor| bytes.saturating_mul(factor as u64))
    }
}

fn supported(file: &str, metadata: &Metadata) -> Result<String> {
    match metadata.str("general.architecture")? {
        "llama" => Ok("llama".to_owned()),
        other => {
            let cause = format!("architecture {other}; supported is llama");
            Err(Error::Unsupported { file: file.to_owned(), cause })
        }
    }
}
