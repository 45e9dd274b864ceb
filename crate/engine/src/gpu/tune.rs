//! The fastest variant on this device, and the decode speed.

use std::ops::Range;

use super::pipeline::variant::Variant;
use super::readback;
use super::state::gpu::Gpu;
use crate::error::Result;
use crate::model::{Backend, Projection, Token, run_ops};
use crate::sampler::{Sampler, Sampling};

/// Limit of timing one variant, ms.
const TUNE_MS: f64 = 25.0;

/// Layers that stand for all when variants are timed.
const TUNE_LAYERS: usize = 4;

/// Time over which decode speed is measured, ms.
const SPEED_MS: f64 = 200.0;

impl Gpu {
    /// Goes over to the fastest of the variants that do not quantise activations: those that do are faster on some
    /// adapters and part from the processor's text, so they are for whoever asks for them. Returns what the decode
    /// speed would be, tokens/s, scaled by bytes from a few layers and the head. `now`: ms.
    ///
    /// # Errors
    /// The device failed; a variant that it refuses is passed over.
    pub(crate) async fn tune(&mut self, now: fn() -> f64) -> Result<Option<f64>> {
        let mut best = (f64::INFINITY, self.variants);
        // Software adapters take half a second to compile a kernel and have no lanes to spare.
        let count = if self.adapter().software() { 2 } else { Variant::CANDIDATES.len() };
        let candidates = &Variant::CANDIDATES[..count];
        for variant in candidates {
            if !self.device.offers(variant) || self.switch([*variant; Projection::ALL.len()]).await.is_err() {
                continue;
            }
            let ms = self.time_variant(now, best.0).await?;
            if ms < best.0 {
                best = (ms, self.variants);
            }
        }
        self.switch(best.1).await?;
        let whole = self.weights.bytes_of(self.plan.body());
        let share = self.weights.bytes_of(self.timed_ops()) as f64 / whole as f64;
        Ok((best.0 > 0.0).then_some(share * 1e3 / best.0))
    }

    /// Goes over to this variant, if the device offers it.
    ///
    /// # Errors
    /// The device refuses one of its kernels.
    pub(crate) async fn use_variant(&mut self, variant: Variant) -> Result<()> {
        if self.device.offers(&variant) {
            self.switch([variant; Projection::ALL.len()]).await
        } else {
            Ok(())
        }
    }

    /// The steps that stand for all when variants are timed.
    fn timed_ops(&self) -> Range<usize> {
        self.plan.first_layers(TUNE_LAYERS.min(self.plan.layers().len()))
    }

    /// The least that a few layers and the head took, ms.
    async fn time_variant(&mut self, now: fn() -> f64, best: f64) -> Result<f64> {
        let mut least = f64::INFINITY;
        let mut spent = 0.0;
        // The first run compiles and warms up; it is not counted.
        for run in 0..20 {
            let start = now();
            self.begin(&[Token::fine(0)], 0);
            let ops = self.timed_ops();
            run_ops(self, ops);
            self.head(0, 1);
            self.recorder.submit(&self.device, None)?;
            readback::done(&self.device).await?;
            let ms = now() - start;
            if run > 0 {
                least = least.min(ms);
                spent += ms;
            }
            if spent > TUNE_MS || (run > 1 && least > 1.5 * best) {
                break;
            }
        }
        Ok(least)
    }

    /// Tokens/s of greedy decoding from the first position on. `now`: ms.
    ///
    /// # Errors
    /// The device failed.
    pub(crate) async fn decode_speed(&mut self, now: fn() -> f64) -> Result<Option<f64>> {
        let left = self.context.min(4096);
        let sampler = Sampler::new(Sampling::greedy(), self.plan.spec.vocabulary)?;
        self.begin_choosing(&sampler, left).await?;
        self.begin(&[Token::fine(0)], 0);
        let body = self.plan.body();
        run_ops(self, body);
        self.choose_first(1)?;
        self.next(now).await?;
        let start = now();
        let mut tokens = 0;
        while tokens + 2 < left && (tokens < 2 || now() - start < SPEED_MS) {
            self.next(now).await?;
            tokens += 1;
        }
        let ms = now() - start;
        self.begin_choosing(&sampler, 0).await?;
        self.reset_counters();
        Ok((ms > 0.0).then_some(tokens as f64 * 1e3 / ms))
    }
}
