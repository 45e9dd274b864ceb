//! Costs of a decoded token on the GPU, and on the processor.

use anyhow::Result;
use engine::cpu::Stage;
use engine::gpu::{Counters, KernelTime, Profile};
use engine::{Engine, block_on};
use serde_json::{Value, json};

use crate::load::now_ms;
use crate::output;

/// Passes that the processor's profile is the mean of.
const PASSES: u32 = 32;

/// Where a token's time goes on the processor.
pub(crate) struct CpuCosts {
    costs: engine::cpu::Profile,
    /// Decode speed that rates are given for, tokens/s.
    speed: f64,
}

impl CpuCosts {
    /// Nothing on the GPU. Arguments as of [`GpuCosts::measure`].
    pub(crate) fn measure(engine: &mut Engine, position: usize, speed: f64) -> Option<Self> {
        engine.profile_cpu(position, PASSES).map(|costs| Self { costs, speed })
    }

    pub(crate) fn as_json(&self) -> Value {
        let stage = |(stage, ms): &(Stage, f64)| json!({ "stage": stage.to_string(), "ms_per_token": ms });
        json!({
            "stages": self.costs.stages.iter().map(stage).collect::<Vec<_>>(),
            "gigabytes_per_token": self.costs.bytes_per_token as f64 / 1e9,
            "gigabytes_per_s": self.costs.bytes_per_token as f64 * self.speed / 1e9,
        })
    }

    pub(crate) fn print(&self) -> Result<()> {
        let rate = self.costs.bytes_per_token as f64 * self.speed / 1e9;
        output::line(format_args!("weights and cache: {rate:.1} GB/s"))?;
        let of_stage = |(stage, ms): &(Stage, f64)| format!("{stage} {ms:.2}");
        let stages: Vec<String> = self.costs.stages.iter().map(of_stage).collect();
        output::line(format_args!("ms a token by stage: {}", stages.join(", ")))
    }
}

/// Counted while decoding, and measured by itself afterwards.
pub(crate) struct GpuCosts {
    counted: Counters,
    profile: Profile,
    memory_bytes: u64,
    /// Decode speed that rates are given for, tokens/s.
    speed: f64,
}

impl GpuCosts {
    /// Nothing on the processor. `counted`: while decoding; `position`: in the middle of what was decoded; `speed`:
    /// the measured one, tokens/s. The conversation's cache is lost.
    pub(crate) fn measure(
        engine: &mut Engine,
        counted: Option<Counters>,
        position: usize,
        speed: f64,
    ) -> Result<Option<Self>> {
        let (Some(counted), Some(gpu)) = (counted, engine.gpu_mut()) else { return Ok(None) };
        let profile = block_on(gpu.profile(position, now_ms))?;
        let memory_bytes = gpu.memory_bytes();
        Ok(Some(Self { counted, profile, memory_bytes, speed }))
    }

    fn per_token(&self, count: u64) -> f64 {
        count as f64 / self.counted.tokens.max(1) as f64
    }

    /// Weights and cache read at the measured speed, bytes/s.
    fn rate(&self) -> f64 {
        self.profile.bytes_per_token as f64 * self.speed
    }

    pub(crate) fn as_json(&self) -> Value {
        let Self { counted, profile, .. } = self;
        let kernels = profile.kernels.iter().map(|k| json!({ "kernel": k.name, "ms_per_token": k.ms }));
        json!({
            "dispatches_per_token": self.per_token(counted.dispatches),
            "passes_per_token": self.per_token(counted.passes),
            "submits_per_token": self.per_token(counted.submits),
            "readback_bytes_per_token": self.per_token(counted.readback_bytes),
            "kernels": kernels.collect::<Vec<_>>(),
            "gigabytes_per_token": profile.bytes_per_token as f64 / 1e9,
            "gigabytes_per_s": self.rate() / 1e9,
            "copy_gigabytes_per_s": profile.copy_bytes_per_s / 1e9,
            "share_of_copy": self.rate() / profile.copy_bytes_per_s,
            "gpu_memory_bytes": self.memory_bytes,
        })
    }

    pub(crate) fn print(&self) -> Result<()> {
        let Self { counted, profile, .. } = self;
        output::line(format_args!(
            "a token: {:.1} dispatches, {:.2} passes, {:.2} submits, {:.0} bytes read back",
            self.per_token(counted.dispatches),
            self.per_token(counted.passes),
            self.per_token(counted.submits),
            self.per_token(counted.readback_bytes),
        ))?;
        let rate = self.rate() / 1e9;
        let copy = profile.copy_bytes_per_s / 1e9;
        output::line(format_args!(
            "weights and cache: {rate:.1} GB/s, {:.0} % of what this device copies, {copy:.1} GB/s",
            100.0 * rate / copy
        ))?;
        if profile.kernels.is_empty() {
            return output::line("GPU time by kernel: this adapter has no timestamps");
        }
        let of_kernel = |kernel: &KernelTime| format!("{} {:.2}", kernel.name, kernel.ms);
        let kernels: Vec<String> = profile.kernels.iter().map(of_kernel).collect();
        output::line(format_args!("GPU time by kernel, ms a token: {}", kernels.join(", ")))
    }
}
