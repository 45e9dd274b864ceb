//! How fast this processor would decode, without holding the model.

use std::io::{Read, Seek};

use super::Kernels;
use super::stages::Stages;
use super::streamed::{SLICE, lookup, read_head};
use super::weights::{Layer, NORM, rope_factors};
use crate::error::Result;
use crate::gguf::Gguf;
use crate::model::Config;
use crate::quant::{Matrix, read_vector};

/// Bytes of layers, as the file stores them, that are held for timing; one layer at least.
const HELD: u64 = 8_000_000;

/// What is measured in all, ms: far above the steps of a browser's clock, short enough for a visitor to wait.
const MEASURE_MS: f64 = 150.0;

/// Rounds at most, whatever the clock says: one that stands still must not hang the load.
const MAX_ROUNDS: usize = 1000;

/// A speed that was worked out from part of the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Decode speed, tokens/s.
    pub tokens_per_s: f64,
    /// Layers that were held and timed.
    pub layers: usize,
    /// Passes over them.
    pub rounds: usize,
    /// Time spent in what was timed, ms.
    pub measured_ms: f64,
}

/// Decode speed of this processor: a token's way through the first layers and a slice of the head, over and over,
/// scaled by bytes to all layers and by rows to the whole head. `now` is a monotonic clock, ms. `None` where the
/// clock did not move.
///
/// Layers and slice take turns, so that each finds the inner caches full of the others. What is held is smaller
/// than the model, though: where an outer cache holds it and would not hold the model, and memory is what decoding
/// waits for, the estimate is too high. It also leaves out what a long context adds to attention, choosing the
/// token, and turning it into text. All err in the processor's favour.
///
/// # Errors
/// A tensor is missing, of the wrong shape or type, or cannot be read.
pub fn estimate<R: Read + Seek>(
    gguf: &mut Gguf<R>,
    config: &Config,
    kernels: &'static Kernels,
    now: &dyn Fn() -> f64,
) -> Result<Option<Estimate>> {
    let sizes: Vec<u64> = (0..config.layers).map(|index| layer_bytes(gguf, index)).collect();
    let mut timed = Timed::read(gguf, config, kernels, held(&sizes))?;
    // Brings code and buffers in; not counted.
    timed.round(now);
    let (mut in_layers, mut in_head, mut rounds) = (0.0, 0.0, 0);
    while in_layers + in_head < MEASURE_MS && rounds < MAX_ROUNDS {
        let (layers, head) = timed.round(now);
        (in_layers, in_head, rounds) = (in_layers + layers, in_head + head, rounds + 1);
    }
    let layers = timed.layers.len();
    let share = sizes[..layers].iter().sum::<u64>() as f64 / sizes.iter().sum::<u64>() as f64;
    let rows = timed.head.rows() as f64 / config.vocabulary as f64;
    let token_ms = (in_layers / share + in_head / rows) / rounds as f64;
    let (tokens_per_s, measured_ms) = (1000.0 / token_ms, in_layers + in_head);
    Ok((token_ms > 0.0).then_some(Estimate { tokens_per_s, layers, rounds, measured_ms }))
}

/// How many of the first layers of these sizes are held.
pub(super) fn held(sizes: &[u64]) -> usize {
    let mut sum = 0;
    let within = sizes.iter().take_while(|bytes| {
        sum += **bytes;
        sum <= HELD
    });
    within.count().max(1)
}

/// Bytes of one layer in the file.
fn layer_bytes<R: Read + Seek>(gguf: &Gguf<R>, index: usize) -> u64 {
    let prefix = format!("blk.{index}.");
    gguf.tensors().iter().filter(|tensor| tensor.name.starts_with(&prefix)).map(|tensor| tensor.bytes).sum()
}

/// What is timed.
struct Timed {
    stages: Stages,
    embedding: Vec<f32>,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// The first rows of it.
    head: Matrix,
    logits: Vec<f32>,
}

impl Timed {
    fn read<R: Read + Seek>(
        gguf: &mut Gguf<R>,
        config: &Config,
        kernels: &'static Kernels,
        layers: usize,
    ) -> Result<Self> {
        let rows = SLICE.min(config.vocabulary);
        let factors = rope_factors(gguf, config, &mut |_| {})?;
        Ok(Self {
            stages: Stages::new(config, kernels, 1, (layers, 1), factors.as_deref()),
            embedding: lookup(gguf, config, &[0])?,
            layers: (0..layers)
                .map(|index| Layer::read(gguf, config, index, &mut |_| {}))
                .collect::<Result<_>>()?,
            norm: read_vector(gguf, NORM, config.width, &mut |_| {})?,
            head: read_head(gguf, config, 0..rows)?,
            logits: vec![0.0; rows],
        })
    }

    /// One token through all that is held: ms in the layers, and in the head.
    fn round(&mut self, now: &dyn Fn() -> f64) -> (f64, f64) {
        let Self { stages, embedding, layers, norm, head, logits } = self;
        let begun = now();
        // From the start each time: left to grow, the numbers would end in infinities, which take another time.
        stages.embed(0, 1, |_, row| row.copy_from_slice(embedding));
        layers.iter().enumerate().for_each(|(index, layer)| stages.layer(layer, index));
        let between = now();
        stages.final_norm(norm, 0..1);
        stages.head(head, true, 1, logits);
        (between - begun, now() - between)
    }
}
