//! Where a decoded token's time goes on this processor.

use std::fmt;

use super::resident::Cpu;
use crate::model::{Backend, Kind, Op, Projection, Token};

/// Profile of a decoded token.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Time by stage, ms.
    pub stages: Vec<(Stage, f64)>,
    /// Weights, as packed, and keys and values that are read, bytes.
    pub bytes_per_token: u64,
}

/// A part of a token's time, displayed as people read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The norms that projections begin with.
    Norms,
    /// All steps of a kind, without such norms.
    Ops(Kind),
    /// Norm and product of the head.
    Head,
    /// The choice of the next token.
    Choice,
}

impl Stage {
    /// Whether it multiplies with weights.
    pub fn is_product(self) -> bool {
        matches!(self, Self::Ops(Kind::Project(_)) | Self::Head)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Norms => "norms",
            Self::Ops(Kind::Embed) => "embedding",
            Self::Ops(Kind::RopeAppend) => "RoPE and KV append",
            Self::Ops(Kind::Attend) => "attention",
            Self::Ops(Kind::AddNormedAttention) => "norm of attention",
            Self::Ops(Kind::AddNormedFeedForward) => "norm of feed-forward",
            Self::Ops(Kind::Project(Projection::Qkv)) => "QKV",
            Self::Ops(Kind::Project(Projection::Output)) => "output and residual",
            Self::Ops(Kind::Project(Projection::GateUp)) => "gate·up and activation",
            Self::Ops(Kind::Project(Projection::Down)) => "down and residual",
            Self::Ops(Kind::Project(Projection::Head)) | Self::Head => "final norm and head",
            Self::Choice => "choosing the token",
        })
    }
}

impl Cpu {
    /// Times every stage of a token after `position` others, in `runs` passes after one that warms up: all steps of a
    /// kind in a row, so that weights come from where they come from while decoding, and a coarse clock is asked twice
    /// a stage instead of twice a step. The cache's contents are lost. `now` is a monotonic clock, ms.
    pub(crate) fn profile(&mut self, position: usize, runs: u32, now: fn() -> f64) -> Profile {
        let body = self.plan.body();
        let mut stages = vec![Stage::Norms];
        for op in &self.plan.ops()[body.start + 1..body.end] {
            let stage = Stage::Ops(op.kind());
            if !stages.contains(&stage) {
                stages.push(stage);
            }
        }
        stages.push(Stage::Head);
        let mut times = vec![0.0; stages.len()];
        let mut logits = vec![0.0; self.plan.spec.vocabulary];
        for run in 0..=runs {
            // From the start each time: left to grow, the numbers would end in infinities.
            self.begin(&[Token::fine(0)], position);
            self.run(0);
            for (stage, time) in stages.iter().zip(&mut times) {
                let begun = now();
                self.run_stage(*stage, &mut logits);
                *time += if run > 0 { now() - begun } else { 0.0 };
            }
        }
        let mean = |time: f64| time / f64::from(runs.max(1));
        let stages = stages.into_iter().zip(times.into_iter().map(mean)).collect();
        let bytes_per_token = self.bytes_per_token() + self.executor.cache_bytes(position);
        Profile { stages, bytes_per_token }
    }

    fn run_stage(&mut self, stage: Stage, logits: &mut [f32]) {
        let head = self.plan.head();
        if stage == Stage::Head {
            return self.run_head(0..1, logits);
        }
        for (op, weights) in self.plan.ops()[..head].iter().zip(&self.weights) {
            match op {
                Op::Project(project) if stage == Stage::Norms && op.norm().is_some() => {
                    self.executor.prologue(project, weights);
                }
                Op::Project(project) if stage == Stage::Ops(op.kind()) => {
                    // A norm has a stage of its own.
                    if op.norm().is_none() {
                        self.executor.prologue(project, weights);
                    }
                    self.executor.multiply(project, weights);
                }
                _ if stage == Stage::Ops(op.kind()) => self.executor.run(op, weights),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use candle_core::quantized::GgmlDType;

    use super::*;
    use crate::cpu::Processor;
    use crate::gguf::Gguf;
    use crate::model::Plan;
    use crate::testing;

    #[test]
    fn every_step_of_the_plan_is_in_one_stage_and_the_bytes_are_those_it_reads() {
        let mut gguf = Gguf::open("tiny.gguf", Cursor::new(testing::file(GgmlDType::Q8_0))).unwrap();
        let plan = Arc::new(Plan::of(&gguf, 8).unwrap());
        let processor = Processor::alone(crate::cpu::dispatch::detect());
        let mut cpu = Cpu::load(&mut gguf, &plan, 8, &processor, &mut |_| {}).unwrap();
        let costs = cpu.profile(4, 2, || 0.0);
        let names: Vec<String> = costs.stages.iter().map(|(stage, _)| stage.to_string()).collect();
        let want = [
            "norms",
            "QKV",
            "RoPE and KV append",
            "attention",
            "output and residual",
            "gate·up and activation",
            "down and residual",
            "final norm and head",
        ];
        assert_eq!(names, want);
        let products: Vec<bool> = costs.stages.iter().map(|(stage, _)| stage.is_product()).collect();
        assert_eq!(products, [false, true, false, false, true, true, true, true]);
        // A tile of 32 columns × 8 rows takes 272 bytes; rows are padded to whole groups.
        let tiles = |rows: usize, cols: usize| rows.div_ceil(8) * (cols / 32) * 272;
        let width = testing::WIDTH;
        let kv = width / 2;
        let ffn = testing::FFN;
        let layer =
            2 * tiles(width, width) + 2 * tiles(kv, width) + 2 * tiles(ffn, width) + tiles(width, ffn);
        let weights = testing::LAYERS * layer + tiles(testing::VOCABULARY, width);
        // Keys and values of five positions: two bytes each, and a scale a head.
        let cache = testing::LAYERS * 5 * 2 * (2 * kv + 4);
        assert_eq!(costs.bytes_per_token, (weights + cache) as u64);
    }
}
