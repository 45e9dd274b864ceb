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
use engine::{Engine, Precision, argmax, block_on};

/// Normalised mean squared error of a position's logits with the real file's weights: what 14-bit activations
/// cost. Measured 2.5e-5 at worst and 1.7e-6 on average over the text; with eight bits, as llama.cpp has them,
/// 2.9e-2 and 2.4e-3.
const QUANTIZED_NMSE: f64 = 1e-4;

/// The same with unquantised weights: what the half-precision cache costs. Measured 6.5e-8 over four layers.
const UNQUANTIZED_NMSE: f64 = 1e-6;

const TEXT: &str = "The quick brown fox jumps over the lazy dog. In 1969, humans first walked on the Moon, \
                    and the world watched. Water boils at 100 degrees Celsius at sea level.";

/// What a file's metadata and tensors say of its architecture.
struct Architecture {
    layers: usize,
    width: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    /// Leading part of a head that is rotated.
    rope_dim: usize,
    rope_base: f64,
    /// Divisors of the rotation's frequencies, (rope_dim / 2,), where the file has them.
    rope_factors: Option<Vec<f32>>,
    norm_eps: f64,
    /// The tensor that makes logits: one of its own, or the embedding.
    head: &'static str,
}

impl Architecture {
    fn read<R: Read + Seek>(content: &Content, file: &mut R) -> Self {
        let name = content.metadata["general.architecture"].to_string().unwrap();
        // Others order a layer, or pair the numbers of a rotation, in another way.
        assert_eq!(name, "llama", "the oracle knows no other architecture");
        let find = |key: &str| {
            let value = content.metadata.get(&format!("{name}.{key}"))?;
            Some(value.to_u32().map(f64::from).or_else(|_| value.to_f32().map(f64::from)).unwrap())
        };
        let number = |key: &str| find(key).unwrap_or_else(|| panic!("{name}.{key} is missing"));
        let width = number("embedding_length") as usize;
        let heads = number("attention.head_count") as usize;
        let head_dim = find("attention.key_length").map_or(width / heads, |dim| dim as usize);
        let factors = content.tensor_infos.contains_key("rope_freqs.weight").then(|| {
            let tensor = content.tensor(file, "rope_freqs.weight", &Device::Cpu).unwrap();
            tensor.dequantize(&Device::Cpu).unwrap().to_vec1().unwrap()
        });
        let own_head = content.tensor_infos.contains_key("output.weight");
        Self {
            layers: number("block_count") as usize,
            width,
            heads,
            kv_heads: find("attention.head_count_kv").map_or(heads, |heads| heads as usize),
            head_dim,
            rope_dim: find("rope.dimension_count").map_or(head_dim, |dim| dim as usize),
            rope_base: find("rope.freq_base").unwrap_or(10_000.0),
            rope_factors: factors,
            norm_eps: number("attention.layer_norm_rms_epsilon"),
            head: if own_head { "output.weight" } else { "token_embd.weight" },
        }
    }

    /// Angle of a rotated pair at a position.
    fn angle(&self, position: usize, pair: usize) -> f64 {
        let factor = self.rope_factors.as_ref().map_or(1.0, |factors| f64::from(factors[pair]));
        position as f64 / self.rope_base.powf(2.0 * pair as f64 / self.rope_dim as f64) / factor
    }
}

/// The llama forward pass as its paper writes it, over whole f32 matrices.
struct Oracle<R> {
    architecture: Architecture,
    content: Content,
    file: R,
}

impl<R: Read + Seek> Oracle<R> {
    fn open(mut file: R) -> Self {
        let content = Content::read(&mut file).unwrap();
        Self { architecture: Architecture::read(&content, &mut file), content, file }
    }

    fn tensor(&mut self, name: &str) -> Result<Tensor> {
        self.content.tensor(&mut self.file, name, &Device::Cpu)?.dequantize(&Device::Cpu)
    }

    fn linear(&mut self, name: &str, x: &Tensor) -> Result<Tensor> {
        x.matmul(&self.tensor(name)?.t()?)
    }

    fn norm(&mut self, name: &str, x: &Tensor) -> Result<Tensor> {
        let rms = (x.sqr()?.mean_keepdim(D::Minus1)? + self.architecture.norm_eps)?.sqrt()?;
        x.broadcast_div(&rms)?.broadcast_mul(&self.tensor(name)?)
    }

    /// (tokens, heads · dim) to (heads, tokens, dim).
    fn heads(&self, x: &Tensor, heads: usize) -> Result<Tensor> {
        let shape = (x.dim(0)?, heads, self.architecture.head_dim);
        x.reshape(shape)?.transpose(0, 1)?.contiguous()
    }

    /// Neighbouring pairs of a head's leading part, rotated by position. x: (heads, tokens, dim).
    fn rotated(&self, x: &Tensor) -> Result<Tensor> {
        let (heads, tokens, dim) = x.dims3()?;
        let rope_dim = self.architecture.rope_dim;
        let pairs = rope_dim / 2;
        let table = |f: fn(f64) -> f64| {
            let angle = |i: usize| self.architecture.angle(i / pairs, i % pairs);
            let values: Vec<f32> = (0..tokens * pairs).map(|i| f(angle(i)) as f32).collect();
            Tensor::from_vec(values, (1, tokens, pairs), &Device::Cpu)
        };
        let cos = table(f64::cos)?;
        let sin = table(f64::sin)?;
        let leading = x.narrow(2, 0, rope_dim)?.contiguous()?.reshape((heads, tokens, pairs, 2))?;
        let a = leading.narrow(3, 0, 1)?.squeeze(3)?;
        let b = leading.narrow(3, 1, 1)?.squeeze(3)?;
        let first = (a.broadcast_mul(&cos)? - b.broadcast_mul(&sin)?)?;
        let second = (a.broadcast_mul(&sin)? + b.broadcast_mul(&cos)?)?;
        let leading = Tensor::stack(&[first, second], 3)?.reshape((heads, tokens, rope_dim))?;
        if rope_dim == dim {
            return Ok(leading);
        }
        Tensor::cat(&[leading, x.narrow(2, rope_dim, dim - rope_dim)?], 2)?.contiguous()
    }

    fn attention(&mut self, layer: usize, x: &Tensor) -> Result<Tensor> {
        let Architecture { heads, kv_heads, head_dim, .. } = self.architecture;
        let name = |part: &str| format!("blk.{layer}.attn_{part}.weight");
        let q = self.linear(&name("q"), x)?;
        let k = self.linear(&name("k"), x)?;
        let v = self.linear(&name("v"), x)?;
        let q = self.rotated(&self.heads(&q, heads)?)?;
        let k = self.rotated(&self.heads(&k, kv_heads)?)?;
        let v = self.heads(&v, kv_heads)?;
        let tokens = x.dim(0)?;
        let mask: Vec<f32> = (0..tokens * tokens)
            .map(|i| if i % tokens > i / tokens { f32::NEG_INFINITY } else { 0.0 })
            .collect();
        let mask = Tensor::from_vec(mask, (tokens, tokens), &Device::Cpu)?;
        let mut outputs = Vec::new();
        for head in 0..heads {
            let kv = head * kv_heads / heads;
            let scores = (q.get(head)?.matmul(&k.get(kv)?.t()?)? / (head_dim as f64).sqrt())?.add(&mask)?;
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
        assert_eq!(x.dims(), [tokens.len(), self.architecture.width]);
        for layer in 0..self.architecture.layers {
            let normed = self.norm(&format!("blk.{layer}.attn_norm.weight"), &x)?;
            x = (&x + self.attention(layer, &normed)?)?;
            let normed = self.norm(&format!("blk.{layer}.ffn_norm.weight"), &x)?;
            let gate = self.linear(&format!("blk.{layer}.ffn_gate.weight"), &normed)?.silu()?;
            let up = self.linear(&format!("blk.{layer}.ffn_up.weight"), &normed)?;
            x = (&x + self.linear(&format!("blk.{layer}.ffn_down.weight"), &(gate * up)?)?)?;
        }
        let normed = self.norm("output_norm.weight", &x)?;
        self.linear(self.architecture.head, &normed)
    }
}

/// What comparing one text's logits gave.
struct Agreement {
    worst: f64,
    mean: f64,
    same_best: usize,
    positions: usize,
    /// The oracle's logits at the last position.
    last: Vec<f32>,
}

fn compare<R: Read + Seek + 'static>(open: impl Fn() -> R) -> Agreement {
    let gguf = Gguf::open("model.gguf", open()).unwrap();
    let mut engine = Engine::on_cpu(gguf, 256, Precision::Fourteen).unwrap();
    let tokens = engine.tokenizer().encode(TEXT, Specials::AsText).unwrap();
    assert!(tokens.len() > 32, "more than one batch of the prompt is covered");
    let mut want = Oracle::open(open()).logits(&tokens).unwrap().to_vec2::<f32>().unwrap();
    let mut errors = Vec::new();
    let mut same_best = 0;
    block_on(engine.logits(&tokens, &mut |position, got| {
        let want = &want[position];
        let error: f64 = got.iter().zip(want).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let size: f64 = want.iter().map(|b| f64::from(*b).powi(2)).sum();
        errors.push(error / size);
        same_best += usize::from(argmax(got) == argmax(want));
    }))
    .unwrap();
    assert_eq!(errors.len(), tokens.len(), "logits of every position");
    assert!(errors.iter().all(|error| error.is_finite()));
    let worst = errors.iter().copied().fold(0.0, f64::max);
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    println!(
        "NMSE {worst:.2e} at worst, {mean:.2e} on average; same best token {same_best} of {}",
        tokens.len()
    );
    Agreement { worst, mean, same_best, positions: tokens.len(), last: want.pop().unwrap() }
}

#[test]
fn logits_of_the_real_model_match_candle() {
    let path = tests::model();
    let agreement = compare(|| BufReader::new(File::open(&path).unwrap()));
    assert!(agreement.worst < QUANTIZED_NMSE, "logits differ from candle's: NMSE {}", agreement.worst);
    assert!(agreement.mean < QUANTIZED_NMSE / 4.0, "logits differ from candle's: NMSE {}", agreement.mean);
    assert_eq!(agreement.same_best, agreement.positions, "another best token");
}

/// The first `layers` of the real model with unquantised weights, alternating between F32 and F16: its metadata with
/// `changes`, and tensors of `more` besides.
fn unquantized(layers: u32, changes: &[(&str, Value)], more: &[(&str, Tensor)]) -> Vec<u8> {
    let mut file = BufReader::new(File::open(tests::model()).unwrap());
    let mut content = Content::read(&mut file).unwrap();
    content.metadata.insert("llama.block_count".to_owned(), Value::U32(layers));
    content.metadata.extend(changes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    let mut names: Vec<&String> = content.tensor_infos.keys().collect();
    names.sort();
    let kept = |name: &str| {
        let layer = name.strip_prefix("blk.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
        layer.is_none_or(|layer| layer < layers)
    };
    let names: Vec<_> = names.into_iter().filter(|name| kept(name)).collect();
    let dequantized = names.iter().map(|name| {
        let tensor = content.tensor(&mut file, name, &Device::Cpu).unwrap();
        (name.as_str(), tensor.dequantize(&Device::Cpu).unwrap())
    });
    let tensors: Vec<(&str, QTensor)> = dequantized
        .chain(more.iter().cloned())
        .enumerate()
        .map(|(index, (name, tensor))| {
            let dtype = if index % 2 == 0 { GgmlDType::F32 } else { GgmlDType::F16 };
            (name, QTensor::quantize(&tensor, dtype).unwrap())
        })
        .collect();
    let metadata: Vec<(&str, &Value)> =
        content.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let mut out = Cursor::new(Vec::new());
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    gguf_file::write(&mut out, &metadata, &tensors).unwrap();
    out.into_inner()
}

fn agrees(bytes: Vec<u8>) -> Agreement {
    let bytes: Arc<[u8]> = bytes.into();
    let agreement = compare(|| Cursor::new(Arc::clone(&bytes)));
    assert!(agreement.worst < UNQUANTIZED_NMSE, "logits differ from candle's: NMSE {}", agreement.worst);
    assert_eq!(agreement.same_best, agreement.positions);
    agreement
}

#[test]
fn logits_of_unquantised_layers_match_candle_to_rounding() {
    agrees(unquantized(4, &[], &[]));
}

/// Each changes one thing that a file may say of its architecture: the logits must change with it, and alike.
#[test]
fn engine_and_oracle_read_the_architecture_from_the_file() {
    let plain = agrees(unquantized(1, &[], &[])).last;
    let changed = |name: &str, bytes: Vec<u8>| {
        assert_ne!(agrees(bytes).last, plain, "{name} changes nothing");
    };
    for (key, value) in [
        ("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-2)),
        ("llama.rope.freq_base", Value::F32(500.0)),
        ("llama.rope.dimension_count", Value::U32(32)),
    ] {
        changed(key, unquantized(1, &[(key, value)], &[]));
    }
    changed("block_count", unquantized(2, &[], &[]));

    let mut real = Oracle::open(BufReader::new(File::open(tests::model()).unwrap()));
    let pairs = real.architecture.rope_dim / 2;
    let factors = Tensor::arange(1.0f32, pairs as f32 + 1.0, &Device::Cpu).unwrap();
    changed("rope_freqs", unquantized(1, &[], &[("rope_freqs.weight", factors)]));

    let embedding = real.tensor("token_embd.weight").unwrap();
    let reversed: Vec<u32> = (0..embedding.dim(0).unwrap() as u32).rev().collect();
    let head = embedding.index_select(&Tensor::new(reversed, &Device::Cpu).unwrap(), 0).unwrap();
    changed("a head of its own", unquantized(1, &[], &[("output.weight", head)]));
}
