//! The keys of an architecture, each checked against what any real model has before anything is allocated by it, and
//! the check that none was passed over.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read, Seek};

use crate::error::{Error, Result};
use crate::gguf::{Gguf, Metadata};
use crate::model::spec::{Pairs, Rope, Scaling};

/// A file's metadata under the prefix of its architecture, and the names of its tensors. It remembers which keys were
/// read.
pub(super) struct Header<'a> {
    pub(super) architecture: &'a str,
    metadata: &'a Metadata,
    /// Positions that will be asked for.
    context: usize,
    has_tensor: Box<dyn Fn(&str) -> bool + 'a>,
    read: RefCell<BTreeSet<String>>,
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

/// When a key that no reader asked for changes nothing.
#[derive(Clone, Copy)]
enum Harmless {
    /// Always.
    Always,
    /// With this number.
    At(f64),
    /// With this answer.
    If(bool),
    /// As the width of a head.
    HeadDim,
    /// As a number of positions that no context exceeds, or 0.
    BeyondContext,
}

/// Keys without effect on what is computed, as llama.cpp's `gguf-py/gguf/constants.py` names them.
const HARMLESS: &[(&str, Harmless)] = &[
    // The vocabulary's own length is checked against the tables.
    ("vocab_size", Harmless::Always),
    ("tensor_data_layout", Harmless::Always),
    // What yarn and long factors count from; they read it.
    ("rope.scaling.original_context_length", Harmless::Always),
    // Says how the model was trained; what switches by it reads it.
    ("rope.scaling.finetuned", Harmless::Always),
    // Of pictures, which are not read.
    ("mm.tokens_per_image", Harmless::Always),
    ("attention.causal", Harmless::If(true)),
    ("use_parallel_residual", Harmless::If(false)),
    ("attention.value_length", Harmless::HeadDim),
    ("attention.key_length_swa", Harmless::HeadDim),
    ("attention.value_length_swa", Harmless::HeadDim),
    ("attention.sliding_window", Harmless::BeyondContext),
    ("attention.clamp_kqv", Harmless::At(0.0)),
    ("attention.max_alibi_bias", Harmless::At(0.0)),
    ("attention.shared_kv_layers", Harmless::At(0.0)),
    ("attn_logit_softcapping", Harmless::At(0.0)),
    ("final_logit_softcapping", Harmless::At(0.0)),
    ("pooling_type", Harmless::At(0.0)),
    ("expert_count", Harmless::At(0.0)),
    ("expert_used_count", Harmless::At(0.0)),
    ("expert_shared_count", Harmless::At(0.0)),
    ("nextn_predict_layers", Harmless::At(0.0)),
    ("leading_dense_block_count", Harmless::At(0.0)),
    ("rope.scaling.alpha", Harmless::At(0.0)),
    ("rope.scaling.yarn_log_multiplier", Harmless::At(0.0)),
    ("rope.scaling.yarn_attn_factor", Harmless::At(1.0)),
    ("embedding_scale", Harmless::At(1.0)),
    ("residual_scale", Harmless::At(1.0)),
    ("logit_scale", Harmless::At(1.0)),
];

impl<'a> Header<'a> {
    /// Of a file that is made ready for `context` positions.
    pub(super) fn new<R: Read + Seek>(gguf: &'a Gguf<R>, architecture: &'a str, context: usize) -> Self {
        let has_tensor = Box::new(|name: &str| gguf.tensor(name).is_some());
        let metadata = gguf.metadata();
        Self { architecture, metadata, context, has_tensor, read: RefCell::default() }
    }

    /// The tensor's name, where the file has it.
    pub(super) fn optional(&self, tensor: &str) -> Option<String> {
        (self.has_tensor)(tensor).then(|| tensor.to_owned())
    }

    /// `<architecture>.<name>`, which somebody reads.
    fn key(&self, name: &str) -> String {
        let key = format!("{}.{name}", self.architecture);
        self.read.borrow_mut().insert(key.clone());
        key
    }

    /// A float, or `default` where the key is missing.
    pub(super) fn float_or(&self, name: &str, default: f32) -> Result<f32> {
        Ok(self.metadata.opt_f32(&self.key(name))?.unwrap_or(default))
    }

    /// A float above 0, or `default` where the key is missing.
    pub(super) fn positive_or(&self, name: &str, default: f32) -> Result<f32> {
        match self.float_or(name, default)? {
            value if value > 0.0 => Ok(value),
            value => Err(self.bad(format!("{} is {value}, not above 0", self.key(name)))),
        }
    }

    /// A factor; where the key is missing or 0 there is none, which is 1.
    pub(super) fn factor(&self, name: &str) -> Result<f32> {
        Ok(Some(self.float_or(name, 0.0)?).filter(|factor| *factor != 0.0).unwrap_or(1.0))
    }

    /// Yes or no, or `default` where the key is missing.
    pub(super) fn flag_or(&self, name: &str, default: bool) -> Result<bool> {
        Ok(self.metadata.opt_bool(&self.key(name))?.unwrap_or(default))
    }

    /// A size of 1 to `max`.
    pub(super) fn size(&self, name: &str, max: usize) -> Result<usize> {
        self.bounded(name, self.metadata.usize(&self.key(name))?, max)
    }

    /// As [`Self::size`], or `default` where the key is missing.
    pub(super) fn size_or(&self, name: &str, default: usize, max: usize) -> Result<usize> {
        self.bounded(name, self.metadata.opt_usize(&self.key(name))?.unwrap_or(default), max)
    }

    /// A number of positions that layers look back; `None` where the key is missing or 0.
    pub(super) fn window(&self) -> Result<Option<usize>> {
        let window = self.metadata.opt_usize(&self.key("attention.sliding_window"))?;
        Ok(window.filter(|window| *window > 0))
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

    /// The rotation that the keys describe, without factors of a tensor. Types, defaults and the magnitude of yarn
    /// (`1 + 0.1 ln factor`) are llama.cpp's.
    pub(super) fn rope(&self, sizes: &Sizes, pairs: Pairs) -> Result<Rope> {
        let base = self.positive_or("rope.freq_base", 10_000.0)?;
        // The second is the first's name in old files.
        let factor = [self.factor("rope.scaling.factor")?, self.factor("rope.scale_linear")?];
        let factor = if factor[0] == 1.0 { factor[1] } else { factor[0] };
        let magnitude = self.positive_or("rope.scaling.attn_factor", 1.0)?;
        let mut rope = Rope {
            pairs,
            base,
            dims: sizes.rope_dims,
            scaling: Scaling::Linear(1.0),
            magnitude,
            factors: None,
        };
        let kind = self.metadata.opt_str(&self.key("rope.scaling.type"))?.unwrap_or("linear");
        match kind {
            "none" => {}
            _ if factor <= 0.0 => {
                return Err(self.bad(format!("{} is {factor}", self.key("rope.scaling.factor"))));
            }
            // Long ones have factors in a tensor.
            "linear" | "longrope" => rope.scaling = Scaling::Linear(factor),
            "yarn" => {
                let extrapolation = self.float_or("rope.scaling.yarn_ext_factor", 1.0)?;
                rope.scaling = Scaling::Yarn {
                    factor,
                    original_context: self.original_context(sizes)?,
                    extrapolation,
                    fast: self.positive_or("rope.scaling.yarn_beta_fast", 32.0)?,
                    slow: self.positive_or("rope.scaling.yarn_beta_slow", 1.0)?,
                };
                if extrapolation != 0.0 && factor > 1.0 {
                    rope.magnitude *= 1.0 + 0.1 * factor.ln();
                }
            }
            _ => {
                let cause = "known are none, linear, longrope and yarn";
                return Err(self.unsupported(&format!("{}: {cause}", self.shown("rope.scaling.type"))));
            }
        }
        Ok(rope)
    }

    /// Positions that the model was first trained on.
    pub(super) fn original_context(&self, sizes: &Sizes) -> Result<usize> {
        self.size_or("rope.scaling.original_context_length", sizes.context, 1 << 24)
    }

    /// Whether more positions are asked for than the model was first trained on.
    pub(super) fn is_long(&self, sizes: &Sizes) -> Result<bool> {
        Ok(self.context.min(sizes.context) > self.original_context(sizes)?)
    }

    /// Refuses a file with a key of the architecture that nobody has read and that might change what is computed.
    pub(super) fn check_every_key_is_read(&self, sizes: &Sizes) -> Result<()> {
        let prefix = format!("{}.", self.architecture);
        let read = self.read.borrow();
        let mut left: Vec<&str> = self.metadata.keys().filter(|key| !read.contains(*key)).collect();
        left.sort_unstable();
        let harmful = left
            .into_iter()
            .filter_map(|key| key.strip_prefix(&prefix))
            .find(|name| !self.is_harmless(name, sizes));
        match harmful {
            Some(name) => {
                let cause = format!("{}, which this engine does not compute", self.shown(name));
                Err(self.unsupported(&cause))
            }
            None => Ok(()),
        }
    }

    fn is_harmless(&self, name: &str, sizes: &Sizes) -> bool {
        let Some((_, harmless)) = HARMLESS.iter().find(|(known, _)| *known == name) else { return false };
        let key = format!("{}.{name}", self.architecture);
        let number = self.metadata.number(&key);
        match *harmless {
            Harmless::Always => true,
            Harmless::At(neutral) => number == Some(neutral),
            Harmless::If(neutral) => matches!(self.metadata.opt_bool(&key), Ok(Some(v)) if v == neutral),
            Harmless::HeadDim => number == Some(sizes.head_dim as f64),
            Harmless::BeyondContext => number.is_some_and(|v| v == 0.0 || v >= sizes.context as f64),
        }
    }

    /// Key and value, for messages.
    fn shown(&self, name: &str) -> String {
        let key = format!("{}.{name}", self.architecture);
        let value = self.metadata.shown(&key);
        format!("{key} is {value}")
    }

    pub(super) fn unsupported(&self, cause: &str) -> Error {
        Error::Unsupported { file: self.metadata.file().to_owned(), cause: cause.to_owned() }
    }

    pub(super) fn bad(&self, cause: String) -> Error {
        Error::BadFile { file: self.metadata.file().to_owned(), cause }
    }
}
