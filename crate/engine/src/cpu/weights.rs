//! A model's weights, packed for the CPU's kernels as they stream in.

use std::io::{Read, Seek};

use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::{Config, LayerNames, rope_factors};
use crate::quant::{Matrix, read_vector};

/// The embedding's tensor.
pub(super) const EMBEDDING: &str = "token_embd.weight";
/// The final norm's.
pub(super) const NORM: &str = "output_norm.weight";

/// The head's tensor: the embedding's where the file has none of its own.
pub(super) fn head_name<R: Read + Seek>(gguf: &Gguf<R>) -> &'static str {
    const OWN: &str = "output.weight";
    if gguf.tensor(OWN).is_some() { OWN } else { EMBEDDING }
}

/// One layer.
pub(super) struct Layer {
    pub(super) attention_norm: Vec<f32>,
    pub(super) query: Matrix,
    pub(super) key: Matrix,
    pub(super) value: Matrix,
    pub(super) output: Matrix,
    pub(super) ffn_norm: Vec<f32>,
    pub(super) gate: Matrix,
    pub(super) up: Matrix,
    pub(super) down: Matrix,
}

/// All of them.
pub(super) struct Weights {
    /// (vocabulary, width): looked up by row, and the head where the file has none of its own.
    pub(super) embedding: Matrix,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Vec<f32>,
    pub(super) head: Option<Matrix>,
    /// See [`rope_factors`].
    pub(super) rope_factors: Option<Vec<f32>>,
}

impl Weights {
    pub(super) fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        config: &Config,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let table = (config.vocabulary, config.width);
        let embedding = Matrix::read(gguf, EMBEDDING, table, read_bytes)?;
        let layers = (0..config.layers)
            .map(|index| Layer::read(gguf, config, index, read_bytes))
            .collect::<Result<_>>()?;
        let norm = read_vector(gguf, NORM, config.width, read_bytes)?;
        let head = match head_name(gguf) {
            EMBEDDING => None,
            own => Some(Matrix::read(gguf, own, table, read_bytes)?),
        };
        let rope_factors = rope_factors(gguf, config, read_bytes)?;
        Ok(Self { embedding, layers, norm, head, rope_factors })
    }

    /// Bytes of packed weights that a decoded token reads.
    pub(super) fn bytes_per_token(&self) -> u64 {
        let of_layer = |l: &Layer| {
            [&l.query, &l.key, &l.value, &l.output, &l.gate, &l.up, &l.down]
                .map(Matrix::bytes)
                .iter()
                .sum::<u64>()
        };
        self.layers.iter().map(of_layer).sum::<u64>() + self.head().bytes()
    }

    /// The matrix that turns the last state into logits.
    pub(super) fn head(&self) -> &Matrix {
        self.head.as_ref().unwrap_or(&self.embedding)
    }
}

impl Layer {
    pub(super) fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        config: &Config,
        index: usize,
        read_bytes: &mut dyn FnMut(u64),
    ) -> Result<Self> {
        let names = LayerNames::new(index);
        let mut matrix =
            |part: &str, rows, cols| Matrix::read(gguf, &names.weight(part), (rows, cols), &mut *read_bytes);
        let (width, queries, kv) = (config.width, config.query_width(), config.kv_width());
        let query = matrix("attn_q", queries, width)?;
        let key = matrix("attn_k", kv, width)?;
        let value = matrix("attn_v", kv, width)?;
        let output = matrix("attn_output", width, queries)?;
        let gate = matrix("ffn_gate", config.ffn, width)?;
        let up = matrix("ffn_up", config.ffn, width)?;
        let down = matrix("ffn_down", width, config.ffn)?;
        let attention_norm = read_vector(gguf, &names.weight("attn_norm"), width, read_bytes)?;
        let ffn_norm = read_vector(gguf, &names.weight("ffn_norm"), width, read_bytes)?;
        Ok(Self { attention_norm, query, key, value, output, ffn_norm, gate, up, down })
    }
}
