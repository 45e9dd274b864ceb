//! Where a decoded token's time goes on this processor.

use super::backend::Cpu;
use super::stages::Stages;
use super::weights::Layer;
use crate::model::Backend;

/// What a decoded token costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// Time by stage, ms.
    pub stages: Vec<(&'static str, f64)>,
    /// Weights, as packed, and keys and values that are read, bytes.
    pub bytes_per_token: u64,
}

/// A stage as it is timed: over all layers in a row, so that weights come from where they come from while decoding,
/// and a coarse clock is asked twice a stage instead of twice a layer.
type Stage = (&'static str, fn(&mut Stages, &Layer, usize));

const STAGES: [Stage; 7] = [
    ("norms", |stages, layer, _| {
        stages.norm(&layer.attention_norm, 0..1);
        stages.norm(&layer.ffn_norm, 0..1);
    }),
    ("QKV", |stages, layer, _| stages.qkv_products(layer)),
    ("RoPE and KV append", |stages, _, index| stages.rope_append(index)),
    ("attention", |stages, _, index| stages.attend(index)),
    ("output and residual", |stages, layer, _| stages.output_residual(layer)),
    ("gate·up and SwiGLU", |stages, layer, _| stages.gate_up_products(layer)),
    ("down and residual", |stages, layer, _| stages.down_residual(layer)),
];

impl Cpu {
    /// Times every stage of a token after `position` others, in `runs` passes after one that warms up. What the cache
    /// holds is lost. `now` is a monotonic clock, ms.
    pub(crate) fn profile(&mut self, position: usize, runs: u32, now: fn() -> f64) -> Costs {
        let mut times = [0.0; STAGES.len() + 1];
        let mut logits = vec![0.0; self.vocabulary];
        for run in 0..=runs {
            // From the start each time: left to grow, the numbers would end in infinities.
            self.embed(&[0], position);
            for ((_, stage), time) in STAGES.iter().zip(&mut times) {
                let begun = now();
                for (index, layer) in self.weights.layers.iter().enumerate() {
                    stage(&mut self.stages, layer, index);
                }
                *time += if run > 0 { now() - begun } else { 0.0 };
            }
            let begun = now();
            self.stages.norm(&self.weights.norm, 0..1);
            self.stages.head(self.weights.head(), 1, &mut logits);
            times[STAGES.len()] += if run > 0 { now() - begun } else { 0.0 };
        }
        let names = STAGES.iter().map(|(name, _)| *name).chain(["final norm and head"]);
        let stages = names.zip(times.map(|time| time / f64::from(runs.max(1)))).collect();
        Costs { stages, bytes_per_token: self.weights.bytes_per_token() + self.stages.cache_bytes(position) }
    }
}
