//! The keys of an architecture, each checked against what any real model has before anything is allocated by it.

use std::io::{Read, Seek};

use crate::error::{Error, Result};
use crate::gguf::{Gguf, Metadata};

/// A file's metadata under the prefix of its architecture, and the names of its tensors.
pub(super) struct Header<'a> {
    pub(super) architecture: &'a str,
    pub(super) metadata: &'a Metadata,
    /// Positions that will be asked for.
    pub(super) context: usize,
    has_tensor: Box<dyn Fn(&str) -> bool + 'a>,
}

/// Sizes that every architecture has under the same keys.
pub(super) struct Sizes {
    pub(super) layers: usize,
    pub(super) width: usize,
    pub(super) heads: usize,
    pub(super) kv_heads: usize,
    pub(super) head_dim: usize,
    pub(super) rope_dims: usize,
    pub(super) ffn: usize,
    pub(super) vocabulary: usize,
    pub(super) context: usize,
    pub(super) norm_eps: f32,
}

impl<'a> Header<'a> {
    pub(super) fn new<R: Read + Seek>(gguf: &'a Gguf<R>, architecture: &'a str, context: usize) -> Self {
        let has_tensor = Box::new(|name: &str| gguf.tensor(name).is_some());
        Self { architecture, metadata: gguf.metadata(), context, has_tensor }
    }

    pub(super) fn has_tensor(&self, name: &str) -> bool {
        (self.has_tensor)(name)
    }

    /// `<architecture>.<name>`.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    /// A float, or `default` where the key is missing.
    pub(super) fn float_or(&self, name: &str, default: f32) -> Result<f32> {
        Ok(self.metadata.opt_f32(&self.key(name))?.unwrap_or(default))
    }

    /// A size of 1 to `max`.
    pub(super) fn size(&self, name: &str, max: usize) -> Result<usize> {
        self.bounded(name, self.metadata.usize(&self.key(name))?, max)
    }

    /// As [`Self::size`], or `default` where the key is missing.
    pub(super) fn size_or(&self, name: &str, default: usize, max: usize) -> Result<usize> {
        self.bounded(name, self.metadata.opt_usize(&self.key(name))?.unwrap_or(default), max)
    }

    fn bounded(&self, name: &str, value: usize, max: usize) -> Result<usize> {
        match value {
            0 => Err(self.bad(format!("{} is 0", self.key(name)))),
            v if v > max => Err(self.bad(format!("{} is {v}, above {max}", self.key(name)))),
            v => Ok(v),
        }
    }

    /// The sizes, checked against each other.
    pub(super) fn sizes(&self) -> Result<Sizes> {
        let width = self.size("embedding_length", 1 << 16)?;
        let heads = self.size("attention.head_count", 1024)?;
        let kv_heads = self.size_or("attention.head_count_kv", heads, heads)?;
        let head_dim = self.size_or("attention.key_length", width / heads, 1024)?;
        let rope_dims = self.size_or("rope.dimension_count", head_dim, head_dim)?;
        if !heads.is_multiple_of(kv_heads) || !rope_dims.is_multiple_of(2) || !head_dim.is_multiple_of(8) {
            let found =
                format!("{heads} heads of {head_dim}, {kv_heads} key-value heads, {rope_dims} rotated");
            return Err(self.bad(format!(
                "{found}: heads share key-value heads evenly, 8 divides a head, 2 the rotated"
            )));
        }
        Ok(Sizes {
            layers: self.size("block_count", 1024)?,
            ffn: self.size("feed_forward_length", 1 << 18)?,
            vocabulary: self.metadata.len("tokenizer.ggml.tokens")?,
            context: self.size("context_length", 1 << 24)?,
            norm_eps: self.metadata.f32(&self.key("attention.layer_norm_rms_epsilon"))?,
            width,
            heads,
            kv_heads,
            head_dim,
            rope_dims,
        })
    }

    fn bad(&self, cause: String) -> Error {
        Error::BadFile { file: self.metadata.file().to_owned(), cause }
    }
}
