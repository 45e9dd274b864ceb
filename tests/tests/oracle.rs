//! The engine's logits on the real model against an independent forward pass: candle-core reads and
//! dequantises the file itself and multiplies in f32.

use std::fs::File;
use std::io::BufReader;

use candle_core::quantized::gguf_file::Content;
use candle_core::{D, Device, Result, Tensor};
use engine::gguf::Gguf;
use engine::{Engine, LoadOptions, argmax, block_on};

/// Normalised mean squared error of all logits of a position, engine against candle: what 8-bit activations
/// and a half-precision cache cost. Measured 1.6e-4 at worst over the text below.
const NMSE: f64 = 1e-3;

const TEXT: &str = "The quick brown fox jumps over the lazy dog. In 1969, humans first walked on the Moon, \
                    and the world watched. Water boils at 100 degrees Celsius at sea level.";

/// The llama forward pass as its paper writes it, over whole f32 matrices.
struct Oracle {
    content: Content,
    file: BufReader<File>,
}

impl Oracle {
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
        let (heads, kv_heads) =
            (self.number("llama.attention.head_count") as usize, self.number("llama.attention.head_count_kv") as usize);
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

#[test]
fn logits_match_candle() {
    let path = tests::model();
    let open = || BufReader::new(File::open(&path).unwrap());
    let gguf = Gguf::open("model.gguf", open()).unwrap();
    let mut engine = Engine::load(gguf, &LoadOptions { context: 256 }, &mut |_, _| {}).unwrap();
    let tokens = engine.tokenizer().encode(TEXT, engine::tokenizer::Specials::AsText).unwrap();
    assert!(tokens.len() > 32, "more than one batch of the prompt is covered");

    let mut file = open();
    let content = Content::read(&mut file).unwrap();
    let want = Oracle { content, file }.logits(&tokens).unwrap().to_vec2::<f32>().unwrap();

    let (mut worst, mut same) = (0.0f64, 0);
    block_on(engine.logits(&tokens, &mut |position, got| {
        let want = &want[position];
        let error: f64 = got.iter().zip(want).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let size: f64 = want.iter().map(|b| f64::from(*b).powi(2)).sum();
        worst = worst.max(error / size);
        same += usize::from(argmax(got) == argmax(want));
    }))
    .unwrap();
    println!("worst NMSE {worst:.2e}; same best token at {same} of {} positions", tokens.len());
    assert!(worst < NMSE, "logits differ from candle's: NMSE {worst}");
    assert!(same * 20 >= tokens.len() * 19, "the best token differs at {} positions", tokens.len() - same);
}
