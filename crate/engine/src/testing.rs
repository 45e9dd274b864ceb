//! A tiny random model, written as a GGUF file, for unit tests.

use std::io::Cursor;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use crate::Engine;
use crate::gguf::Gguf;
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

pub(crate) fn metadata() -> Entries {
    let text = |s: &str| Value::String(s.to_owned());
    let mut tokens: Vec<Value> = (0..=255).map(|byte| Value::String(spell(&[byte]))).collect();
    tokens.extend(["<|im_start|>", "<|im_end|>"].map(text));
    let types = (0..VOCABULARY).map(|id| Value::I32(if id < 256 { 1 } else { 3 })).collect();
    let entries = [
        ("general.architecture", text("llama")),
        ("general.name", text("tiny")),
        ("llama.block_count", Value::U32(LAYERS as u32)),
        ("llama.context_length", Value::U32(CONTEXT as u32)),
        ("llama.embedding_length", Value::U32(WIDTH as u32)),
        ("llama.feed_forward_length", Value::U32(FFN as u32)),
        ("llama.attention.head_count", Value::U32(2)),
        ("llama.attention.head_count_kv", Value::U32(1)),
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

pub(crate) fn tensors(dtype: GgmlDType) -> Vec<(String, QTensor)> {
    let mut names = vec![("token_embd.weight".to_owned(), VOCABULARY, WIDTH)];
    for layer in 0..LAYERS {
        let kv = WIDTH / 2;
        let parts = [
            ("attn_q", WIDTH, WIDTH),
            ("attn_k", kv, WIDTH),
            ("attn_v", kv, WIDTH),
            ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", FFN, WIDTH),
            ("ffn_up", FFN, WIDTH),
            ("ffn_down", WIDTH, FFN),
        ];
        names.extend(parts.map(|(part, rows, cols)| (format!("blk.{layer}.{part}.weight"), rows, cols)));
    }
    let mut seed = 1u64;
    let mut random = |len: usize, scale: f32| -> Vec<f32> {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((seed >> 33) as f32 / (1u64 << 30) as f32 - 1.0) * scale
        };
        (0..len).map(|_| next()).collect()
    };
    let mut out: Vec<(String, QTensor)> = names
        .into_iter()
        .map(|(name, rows, cols)| {
            let tensor = Tensor::from_vec(random(rows * cols, 0.3), (rows, cols), &Device::Cpu).unwrap();
            (name, QTensor::quantize(&tensor, dtype).unwrap())
        })
        .collect();
    let norms =
        (0..LAYERS).flat_map(|l| ["attn_norm", "ffn_norm"].map(|part| format!("blk.{l}.{part}.weight")));
    for name in norms.chain(["output_norm.weight".to_owned()]) {
        let ones = Tensor::from_vec(vec![1.0f32; WIDTH], WIDTH, &Device::Cpu).unwrap();
        out.push((name, QTensor::quantize(&ones, GgmlDType::F32).unwrap()));
    }
    out
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
    Engine::on_cpu(Gguf::open("tiny.gguf", Cursor::new(bytes))?, CONTEXT)
}
