//! A tiny random model, written as a GGUF file, for unit tests.

use std::io::Cursor;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use crate::Engine;
use crate::gguf::Gguf;
use crate::model::Precision;
use crate::tokenizer::spell;

pub(crate) const WIDTH: usize = 64;
pub(crate) const FFN: usize = 96;
pub(crate) const LAYERS: usize = 2;
pub(crate) const CONTEXT: usize = 48;
/// 256 bytes and two special tokens.
pub(crate) const VOCABULARY: usize = 258;
pub(crate) const IM_START: u32 = 256;
pub(crate) const IM_END: u32 = 257;

const TEMPLATE: &str = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n\
                        {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

pub(crate) type Entries = Vec<(String, Value)>;

/// Sizes of a random model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    /// Leading part of a head that is rotated.
    pub(crate) rope_dim: usize,
    pub(crate) ffn: usize,
    /// 258 at least.
    pub(crate) vocabulary: usize,
    pub(crate) context: usize,
}

/// The model of most tests.
pub(crate) const TINY: Shape = Shape {
    layers: LAYERS,
    heads: 2,
    kv_heads: 1,
    head_dim: WIDTH / 2,
    rope_dim: WIDTH / 2,
    ffn: FFN,
    vocabulary: VOCABULARY,
    context: CONTEXT,
};

pub(crate) fn metadata() -> Entries {
    TINY.metadata()
}

pub(crate) fn tensors(dtype: GgmlDType) -> Vec<(String, QTensor)> {
    TINY.tensors(dtype)
}

impl Shape {
    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    pub(crate) fn metadata(&self) -> Entries {
        let text = |s: &str| Value::String(s.to_owned());
        let number = |n: usize| Value::U32(n as u32);
        let mut tokens: Vec<Value> = (0..=255).map(|byte| Value::String(spell(&[byte]))).collect();
        tokens.extend(["<|im_start|>", "<|im_end|>"].map(text));
        tokens.extend((tokens.len()..self.vocabulary).map(|id| Value::String(format!("unused{id}"))));
        let special = |id: usize| [IM_START, IM_END].contains(&(id as u32));
        let types = (0..self.vocabulary).map(|id| Value::I32(if special(id) { 3 } else { 1 })).collect();
        let entries = [
            ("general.architecture", text("llama")),
            ("general.name", text("tiny")),
            ("llama.block_count", number(self.layers)),
            ("llama.context_length", number(self.context)),
            ("llama.embedding_length", number(self.width())),
            ("llama.feed_forward_length", number(self.ffn)),
            ("llama.attention.head_count", number(self.heads)),
            ("llama.attention.head_count_kv", number(self.kv_heads)),
            ("llama.rope.dimension_count", number(self.rope_dim)),
            ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("tokenizer.ggml.model", text("gpt2")),
            ("tokenizer.ggml.pre", text("smollm")),
            ("tokenizer.ggml.tokens", Value::Array(tokens)),
            ("tokenizer.ggml.token_type", Value::Array(types)),
            ("tokenizer.ggml.merges", Value::Array(vec![])),
            ("tokenizer.ggml.eos_token_id", Value::U32(IM_END)),
            ("tokenizer.chat_template", text(TEMPLATE)),
        ];
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    pub(crate) fn tensors(&self, dtype: GgmlDType) -> Vec<(String, QTensor)> {
        let width = self.width();
        let kv = self.kv_heads * self.head_dim;
        let mut names = vec![("token_embd.weight".to_owned(), self.vocabulary, width)];
        for layer in 0..self.layers {
            let parts = [
                ("attn_q", width, width),
                ("attn_k", kv, width),
                ("attn_v", kv, width),
                ("attn_output", width, width),
                ("ffn_gate", self.ffn, width),
                ("ffn_up", self.ffn, width),
                ("ffn_down", width, self.ffn),
            ];
            names.extend(parts.map(|(part, rows, cols)| (format!("blk.{layer}.{part}.weight"), rows, cols)));
        }
        let mut noise = noise();
        let mut random = |len: usize, scale: f32| (0..len).map(|_| noise() * scale).collect::<Vec<f32>>();
        let mut out: Vec<(String, QTensor)> = names
            .into_iter()
            .map(|(name, rows, cols)| {
                let tensor = Tensor::from_vec(random(rows * cols, 0.3), (rows, cols), &Device::Cpu).unwrap();
                (name, QTensor::quantize(&tensor, dtype).unwrap())
            })
            .collect();
        let norms = (0..self.layers)
            .flat_map(|l| ["attn_norm", "ffn_norm"].map(|part| format!("blk.{l}.{part}.weight")));
        for name in norms.chain(["output_norm.weight".to_owned()]) {
            let ones = Tensor::from_vec(vec![1.0f32; width], width, &Device::Cpu).unwrap();
            out.push((name, QTensor::quantize(&ones, GgmlDType::F32).unwrap()));
        }
        out
    }

    /// The whole file.
    pub(crate) fn file(&self, dtype: GgmlDType) -> Vec<u8> {
        write(&self.metadata(), &self.tensors(dtype))
    }
}

/// The same numbers in every run, -1 to 1.
fn noise() -> impl FnMut() -> f32 {
    let mut seed = 1u64;
    move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f32 / (1u64 << 30) as f32 - 1.0
    }
}

pub(crate) fn write(metadata: &Entries, tensors: &[(String, QTensor)]) -> Vec<u8> {
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let mut out = Cursor::new(Vec::new());
    gguf_file::write(&mut out, &metadata, &tensors).unwrap();
    out.into_inner()
}

pub(crate) fn file(dtype: GgmlDType) -> Vec<u8> {
    write(&metadata(), &tensors(dtype))
}

pub(crate) fn load(bytes: Vec<u8>) -> crate::Result<Engine> {
    Engine::on_cpu(Gguf::open("tiny.gguf", Cursor::new(bytes))?, CONTEXT, Precision::Eight)
}
