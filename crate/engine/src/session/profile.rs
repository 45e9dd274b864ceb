//! The costs of a loaded model on the backend that runs it.

use super::engine::Engine;
use crate::cpu;
use crate::error::Result;
use crate::gpu::{Counters, Gpu, Profile};
use crate::sampler::argmax;
use crate::select::Active;

impl Engine {
    /// Bytes of the GPU's buffers; 0 on the processor.
    pub fn gpu_memory_bytes(&self) -> u64 {
        self.gpu().map_or(0, Gpu::memory_bytes)
    }

    /// The GPU backend, where it runs.
    pub fn gpu(&self) -> Option<&Gpu> {
        match &self.backend {
            Active::Gpu(gpu) => Some(gpu),
            Active::Cpu(_) => None,
        }
    }

    /// The same, to count or break something.
    pub fn gpu_mut(&mut self) -> Option<&mut Gpu> {
        match &mut self.backend {
            Active::Gpu(gpu) => Some(gpu),
            Active::Cpu(_) => None,
        }
    }

    /// The work of decoding on the GPU since [`Gpu::reset_counters`]; `None` on the processor.
    pub fn gpu_counters(&self) -> Option<Counters> {
        self.gpu().map(Gpu::counters)
    }

    /// Profiles one token on the GPU after `position` others; `None` on the processor. The cache is lost, the
    /// conversation is not.
    ///
    /// # Errors
    /// The device failed.
    pub async fn profile(&mut self, position: usize) -> Result<Option<Profile>> {
        self.cached.clear();
        let position = position.min(self.info.context - 1);
        let clock = self.clock;
        match self.gpu_mut() {
            Some(gpu) => gpu.profile(position, clock).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where a decoded token's time goes on the processor after `position` others, choosing it included; `None` on the
    /// GPU. The cache is lost, the conversation is not.
    pub fn profile_cpu(&mut self, position: usize, runs: u32) -> Option<cpu::Profile> {
        let position = position.min(self.info.context - 1);
        let now = self.clock;
        let Active::Cpu(cpu) = &mut self.backend else { return None };
        self.cached.clear();
        let mut costs = cpu.profile(position, runs, now);
        self.logits.resize(self.plan.spec.vocabulary, 0.0);
        let begun = now();
        for _ in 0..runs {
            std::hint::black_box(argmax(std::hint::black_box(&self.logits)));
        }
        costs.stages.push((cpu::Stage::Choice, (now() - begun) / f64::from(runs.max(1))));
        Some(costs)
    }
}
