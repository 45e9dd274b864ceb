//! The engine's logits on the real model against an independent forward pass: candle-core reads and
//! dequantises the file itself and multiplies in f32.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::sync::Arc;

use candle_core::quantized::gguf_file::{self, Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{D, Device, Result, Tensor};
use engine::gguf::Gguf;
use engine::tokenizer::Specials;
use engine::{Engine, argmax, block_on};

/// Normalised mean squared error of a position's logits with the real file's weights: what 14-bit activations
/// cost. Measured 2.5e-5 at worst and 1.7e-6 on average over the text; with eight bits, as llama.cpp has them,
/// 2.9e-2 and 2.4e-3.
const QUANTIZED_NMSE: f64 = 1e-4;

/// The same with unquantised weights: what the half-precision cache costs. Measured 6.5e-8 over four layers.
const UNQUANTIZED_NMSE: f64 = 1e-6;

const TEXT: &str = "The quick brown fox jumps over the lazy dog. In 1969, humans first walked on the Moon, \
                    and the world watched. Water boils at 100 degrees Celsius at sea level.";

/// The llama forward pass as its paper writes it, over whole f32 matrices.
struct Oracle<R> {
    content: Content,
    file: R,
}

impl<R: Read + Seek> Oracle<R> {
    fn open(mut file: R) -> Self {
        Self { content: Content::read(&mut file).unwrap(), file }
    }

    fn tensor(&mut self, name: &str) -> Result<Tensor> {
        self.content.tensor(&mut self.file, name, &Device::Cpu)?.dequantize(&Device::Cpu)
    }

    fn number(&self, key: &str) -> f64 {
        let value = &self.content.metadata[key];
        value.to_u32().map(f64::from).or_else(|_| value.to_f32().map(f64::from)).unwrap()
    }

    fn linear(&mut self, name: &str, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.tensor(name)?.t()?)
    }

    fn norm(&mut self, name: &str, x: &Tensor) -> Result<Tensor> {
        let eps = self.number("llama.attention.layer_norm_rms_epsilon");
        let rms = (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
        x.broadcast_div(&rms)?.broadcast_mul(&self.tensor(name)?)
    }

    /// (tokens, heads · dim) to (heads, tokens, dim), neighbouring pairs rotated by position.
    fn heads(&self, x: &Tensor, heads: usize, rotated: bool) -> Result<Tensor> {
        let (tokens, width) = x.dims2()?;
        let dim = width / heads;
        let x = x.reshape((tokens, heads, dim))?.transpose(0, 1)?.contiguous()?;
        if !rotated {
            return Ok(x);
        }
        let base = self.number("llama.rope.freq_base");
        let angle = |i: usize| (i / (dim / 2)) as f64 / base.powf(2.0 * (i % (dim / 2)) as f64 / dim as f64);
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> = (0..tokens * dim / 2).map(|i| f(angle(i)) as f32).collect();
            Tensor::from_vec(values, (1, tokens, dim / 2), &Device::Cpu)
        };
        let (cos, sin) = (table(f64::cos)?, table(f64::sin)?);
        let pairs = x.reshape((heads, tokens, dim / 2, 2))?;
        let (a, b) = (pairs.narrow(3, 0, 1)?.squeeze(3)?, pairs.narrow(3, 1, 1)?.squeeze(3)?);
        let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let second = (a.broadcast_mul(&sin)? + b.broadcast_mul(&cos)?)?;
        Tensor::stack(&[first, second], 3)?.reshape((heads, tokens, dim))
    }

    fn attention(&mut self, layer: usize, x: &Tensor) -> Result<Tensor> {
        let (heads, kv_heads) = (
            self.number("llama.attention.head_count") as usize,
            self.number("llama.attention.head_count_kv") as usize,
        );
        let name = |part: &str| format!("blk.{layer}.attn_{part}.weight");
        let (q, k, v) =
            (self.linear(&name("q"), x)?, self.linear(&name("k"), x)?, self.linear(&name("v"), x)?);
        let (q, k, v) =
            (self.heads(&q, heads, true)?, self.heads(&k, kv_heads, true)?, self.heads(&v, kv_heads, false)?);
        let (tokens, dim) = (q.dim(1)?, q.dim(2)?);
        let mask: Vec<f32> = (0..tokens * tokens)
            .map(|i| if i % tokens > i / tokens { f32::NEG_INFINITY } else { 0.0 })
            .collect();
        let mask = Tensor::from_vec(mask, (tokens, tokens), &Device::Cpu)?;
        let mut outputs = Vec::new();
        for head in 0..heads {
            let kv = head * kv_heads / heads;
            let scores = (q.get(head)?.matmul(&k.get(kv)?.t()?)? / (dim as f64).sqrt())?.add(&mask)?;
            let peak = scores.max_keepdim(D::Minus1)?;
            let weights = scores.broadcast_sub(&peak)?.exp()?;
            let weights = weights.broadcast_div(&weights.sum_keepdim(D::Minus1)?)?;
            outputs.push(weights.matmul(&v.get(kv)?)?);
        }
        self.linear(&name("output"), &Tensor::cat(&outputs, 1)?)
    }

    /// Logits (tokens, vocabulary).
    fn logits(&mut self, tokens: &[u32]) -> Result<Tensor> {
        let embedding = self.tensor("token_embd.weight")?;
        let mut x = embedding.index_select(&Tensor::new(tokens, &Device::Cpu)?, 0)?;
        for layer in 0..self.number("llama.block_count") as usize {
            let normed = self.norm(&format!("blk.{layer}.attn_norm.weight"), &x)?;
            x = (&x + self.attention(layer, &normed)?)?;
            let normed = self.norm(&format!("blk.{layer}.ffn_norm.weight"), &x)?;
            let gate = self.linear(&format!("blk.{layer}.ffn_gate.weight"), &normed)?.silu()?;
            let up = self.linear(&format!("blk.{layer}.ffn_up.weight"), &normed)?;
            x = (&x + self.linear(&format!("blk.{layer}.ffn_down.weight"), &(gate * up)?)?)?;
        }
        self.norm("output_norm.weight", &x)?.matmul(&embedding.t()?)
    }
}

/// What comparing one text's logits gave.
struct Agreement {
    worst: f64,
    mean: f64,
    same_best: usize,
    positions: usize,
}

fn compare<R: Read + Seek + 'static>(open: impl Fn() -> R) -> Agreement {
    let gguf = Gguf::open("model.gguf", open()).unwrap();
    let mut engine = Engine::on_cpu(gguf, 256).unwrap();
    let tokens = engine.tokenizer().encode(TEXT, Specials::AsText).unwrap();
    assert!(tokens.len() > 32, "more than one batch of the prompt is covered");
    let want = Oracle::open(open()).logits(&tokens).unwrap().to_vec2::<f32>().unwrap();
    let (mut errors, mut same_best) = (Vec::new(), 0);
    block_on(engine.logits(&tokens, &mut |position, got| {
        let want = &want[position];
        let error: f64 = got.iter().zip(want).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let size: f64 = want.iter().map(|b| f64::from(*b).powi(2)).sum();
        errors.push(error / size);
        same_best += usize::from(argmax(got) == argmax(want));
    }))
    .unwrap();
    let worst = errors.iter().copied().fold(0.0, f64::max);
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    println!(
        "NMSE {worst:.2e} at worst, {mean:.2e} on average; same best token {same_best} of {}",
        tokens.len()
    );
    Agreement { worst, mean, same_best, positions: tokens.len() }
}

#[test]
fn logits_of_the_real_model_match_candle() {
    let path = tests::model();
    let agreement = compare(|| BufReader::new(File::open(&path).unwrap()));
    assert!(agreement.worst < QUANTIZED_NMSE, "logits differ from candle's: NMSE {}", agreement.worst);
    assert!(agreement.mean < QUANTIZED_NMSE / 4.0, "logits differ from candle's: NMSE {}", agreement.mean);
    assert_eq!(agreement.same_best, agreement.positions, "another best token");
}

/// The first layers of the real model with unquantised weights, alternating between F32 and F16.
fn unquantized(layers: u32) -> Vec<u8> {
    let mut file = BufReader::new(File::open(tests::model()).unwrap());
    let mut content = Content::read(&mut file).unwrap();
    content.metadata.insert("llama.block_count".to_owned(), Value::U32(layers));
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort();
    let kept = |name: &str| {
        let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        layer.is_none_or(|layer| layer < layers)
    };
    let tensors: Vec<(&str, QTensor)> = names
        .into_iter()
        .filter(|name| kept(name))
        .enumerate()
        .map(|(index, name)| {
            let tensor =
                content.tensor(&mut file, name, &Device::Cpu).unwrap().dequantize(&Device::Cpu).unwrap();
            let dtype = if index % 2 == 0 { GgmlDType::F32 } else { GgmlDType::F16 };
            (name.as_str(), QTensor::quantize(&tensor, dtype).unwrap())
        })
        .collect();
    let metadata: Vec<(&str, &Value)> =
        content.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let mut out = Cursor::new(Vec::new());
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    gguf_file::write(&mut out, &metadata, &tensors).unwrap();
    out.into_inner()
}

#[test]
fn logits_of_unquantised_layers_match_candle_to_rounding() {
    let bytes: Arc<[u8]> = unquantized(4).into();
    let agreement = compare(|| Cursor::new(Arc::clone(&bytes)));
    assert!(agreement.worst < UNQUANTIZED_NMSE, "logits differ from candle's: NMSE {}", agreement.worst);
    assert_eq!(agreement.same_best, agreement.positions);
}
