//! GPU or processor: load, check, time, decide; and say why.

use std::ops::Range;
use std::sync::Arc;

use super::active::Active;
use super::options::{Check, LoadOptions, Preference, Progress, Report};
use crate::cpu::verify::{self, Agreement};
use crate::cpu::{Cpu, Processor, check_room};
use crate::error::{Error, Result};
use crate::gguf::{Gguf, ReadSeek};
use crate::gpu::{Device, Gpu};
use crate::model::{Backend, Plan};

/// Tokens that both read one by one (teacher forcing).
const TOKENS: usize = 16;

/// Of those, how many must have the same best next token. One may be a tie that rounding decides.
const SAME: usize = 15;

/// Largest difference of a log-probability that is still the same model. Measured: 0.016 over 256 tokens where
/// activations are exact, 2.5 where they are quantised; a wrong kernel gives ten and more.
const DIFFERENCE: (f32, f32) = (0.25, 5.0);

/// How many times faster than a quick measurement of the GPU the processor must be for the GPU not to be checked.
const HOPELESS: f64 = 2.0;

/// Steps that progress counts: kernels, tokens, the processor's pass, its speed, the GPU's.
const STEPS: usize = 5 + TOKENS;

/// A model file, and how it is to be loaded.
pub(crate) struct BackendSelection<'a> {
    pub(crate) gguf: &'a mut Gguf<Box<dyn ReadSeek>>,
    pub(crate) plan: &'a Arc<Plan>,
    pub(crate) context: usize,
    pub(crate) options: &'a LoadOptions,
    /// Computes the processor's side.
    pub(crate) processor: &'a Processor,
    /// Words of a text, to check with.
    pub(crate) tokens: Vec<u32>,
}

impl BackendSelection<'_> {
    /// The backend that will compute, and why.
    ///
    /// # Errors
    /// The processor cannot be used either.
    pub(crate) async fn choose(
        mut self,
        gpu: Result<Device, String>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Active, Report)> {
        let device = match (gpu, self.options.backend) {
            (_, Preference::Cpu) => return self.on_cpu(Report::cpu("it was asked for".to_owned()), progress),
            (Err(cause), _) => return self.on_cpu(Report::cpu(cause), progress),
            (Ok(device), _) => device,
        };
        let adapter = Some(device.adapter().name().to_owned());
        if let Some(report) = self.remembered_for_cpu() {
            return self.on_cpu(Report { adapter, ..report }, progress);
        }
        match self.on_gpu(device, progress).await {
            Ok((gpu, report)) if self.is_faster(&report) => Ok((Active::Gpu(Box::new(gpu)), report)),
            Ok((gpu, report)) => {
                // Its memory goes first: both copies of the weights may not fit side by side.
                drop(gpu);
                let reason = format!("faster here than the GPU: {}", speeds(&report));
                let report = Report { adapter, check: report.check, ..Report::cpu(reason) };
                self.on_cpu(report, progress)
            }
            Err(error) => {
                let reason = format!("the GPU is not used: {error}");
                self.on_cpu(Report { adapter, ..Report::cpu(reason) }, progress)
            }
        }
    }

    /// An earlier decision for the processor, where it still stands.
    fn remembered_for_cpu(&self) -> Option<Report> {
        let report = self.options.remembered.as_ref()?;
        let for_cpu = self.options.backend == Preference::Automatic && report.variant.is_none();
        let check = Check { remembered: true, ..report.check.clone()? };
        for_cpu.then(|| Report { check: Some(check), ..report.clone() })
    }

    fn is_faster(&self, report: &Report) -> bool {
        let speeds = report.check.as_ref().map(|check| (check.gpu_tokens_per_s, check.cpu_tokens_per_s));
        match (self.options.backend, speeds) {
            (Preference::Automatic, Some((Some(gpu), Some(cpu)))) => gpu >= cpu,
            _ => true,
        }
    }

    fn on_cpu(&mut self, report: Report, progress: &mut dyn FnMut(Progress)) -> Result<(Active, Report)> {
        check_room(self.gguf, self.plan, self.context, self.options.room)?;
        let mut packed = packing(self.gguf, progress);
        let cpu = Cpu::load(self.gguf, self.plan, self.context, self.processor, &mut packed)?;
        Ok((Active::Cpu(Box::new(cpu)), report))
    }

    async fn on_gpu(&mut self, device: Device, progress: &mut dyn FnMut(Progress)) -> Result<(Gpu, Report)> {
        let requested = device.variant();
        let mut gpu = {
            let mut packed = packing(self.gguf, progress);
            Gpu::load(device, self.gguf, self.plan, self.context, &mut packed).await?
        };
        let start = (self.options.clock)();
        let earlier = self.earlier();
        let remembered = earlier.as_ref().and_then(|(_, variant)| variant.parse().ok());
        let quick = match (requested, remembered) {
            (Some(_), _) => None,
            (None, Some(variant)) => gpu.use_variant(variant).await.map(|()| None)?,
            (None, None) => gpu.tune(self.options.clock).await?,
        };
        if let Some(check) = self.hopeless(quick, start)? {
            let report = self.report(&gpu, check, String::new());
            return Ok((gpu, report));
        }
        let mut done = 0;
        let mut step = || {
            done += 1;
            progress(Progress::Check { done: done.min(STEPS), total: STEPS });
        };
        let kernels = self.check_kernels(&mut gpu).await?;
        step();
        let mut check = match earlier {
            Some((check, _)) => Check { remembered: true, ..check },
            None => self.check_whole(&mut gpu, &mut step).await?,
        };
        check.kernels = kernels.kernels;
        check.replaced = kernels.replaced;
        check.took_ms = (self.options.clock)() - start;
        let mut report = self.report(&gpu, check, String::new());
        report.reason = match self.options.backend {
            Preference::Gpu => "it was asked for, and passed its self-check".to_owned(),
            _ => format!("it passed its self-check and is the faster: {}", speeds(&report)),
        };
        Ok((gpu, report))
    }

    fn report(&self, gpu: &Gpu, check: Check, reason: String) -> Report {
        Report {
            name: gpu.name(),
            reason,
            adapter: Some(gpu.adapter().name().to_owned()),
            variant: Some(gpu.variant().to_string()),
            check: Some(check),
        }
    }

    /// The speeds of a GPU that is so much slower than the processor that checking it would only cost time.
    fn hopeless(&mut self, quick: Option<f64>, start: f64) -> Result<Option<Check>> {
        let (Some(gpu), Preference::Automatic) = (quick, self.options.backend) else { return Ok(None) };
        let now = self.options.clock;
        // The first estimate finds its code cold, which is in the GPU's favour.
        let mut estimate = || verify::estimate(self.gguf, self.plan, self.processor, &now);
        if estimate()?.is_none_or(|cpu| cpu.tokens_per_s < HOPELESS * gpu) {
            return Ok(None);
        }
        let cpu_tokens_per_s = estimate()?.map(|estimate| estimate.tokens_per_s);
        let took_ms = now() - start;
        Ok(Some(Check { gpu_tokens_per_s: quick, cpu_tokens_per_s, took_ms, ..Check::default() }))
    }

    /// An earlier check, and the variant that it was of.
    fn earlier(&self) -> Option<(Check, String)> {
        let report = self.options.remembered.as_ref()?;
        report.check.clone().zip(report.variant.clone())
    }

    async fn check_kernels(&mut self, gpu: &mut Gpu) -> Result<crate::gpu::Checked> {
        let (many, one) = self.tokens.split_at(self.tokens.len().saturating_sub(1));
        let many = &many[..many.len().min(gpu.max_batch())];
        // A context of one position has one batch.
        let batches: Vec<&[u32]> = [many, one].into_iter().filter(|batch| !batch.is_empty()).collect();
        let rows = self.plan.spec.vocabulary.min(1024);
        let traces = verify::trace(
            self.gguf,
            self.plan,
            self.processor,
            &batches,
            &gpu.layers_of_every_kernel(),
            rows,
        )?;
        gpu.check_kernels(&batches, &traces).await
    }

    /// The whole model token by token, and both speeds.
    async fn check_whole(&mut self, gpu: &mut Gpu, step: &mut dyn FnMut()) -> Result<Check> {
        let agreement = self.compare(gpu, step).await?;
        let tokens = agreement.best().count();
        let same = agreement.same();
        let largest_difference = agreement.largest_difference();
        let quantizes = gpu.variant().quantizes();
        let (least, most) =
            if quantizes { (tokens / 2, DIFFERENCE.1) } else { (SAME.min(tokens), DIFFERENCE.0) };
        if same < least || largest_difference.is_nan() || largest_difference > most {
            let cause = format!(
                "{same} of {tokens} next tokens are the processor's, and a log-probability is off by {largest_difference:.2}"
            );
            return Err(Error::Backend { op: "checking the GPU against the processor", cause });
        }
        let now = self.options.clock;
        let estimate = verify::estimate(self.gguf, self.plan, self.processor, &now)?;
        step();
        let gpu_tokens_per_s = gpu.decode_speed(now).await?;
        step();
        Ok(Check {
            tokens,
            same,
            largest_difference,
            gpu_tokens_per_s,
            cpu_tokens_per_s: estimate.map(|estimate| estimate.tokens_per_s),
            ..Check::default()
        })
    }

    /// Logits of tokens that the GPU reads one by one, beside those of the processor, which holds no weights for it.
    async fn compare(&mut self, gpu: &mut Gpu, step: &mut dyn FnMut()) -> Result<Agreement> {
        let tokens = &self.tokens[..TOKENS.min(self.tokens.len())];
        let theirs = gpu.teacher_forced(tokens, step).await?;
        let vocabulary = self.plan.spec.vocabulary;
        let mut agreement = Agreement::new(tokens.len());
        let mut take = |rows: Range<usize>, ours: &[f32]| {
            for token in 0..tokens.len() {
                let ours = &ours[token * rows.len()..][..rows.len()];
                let theirs = &theirs[token * vocabulary..][rows.clone()];
                agreement.add(token, rows.clone(), ours, theirs);
            }
        };
        verify::streamed::forward(self.gguf, self.plan, tokens, self.processor, &mut |_, _| {}, &mut take)?;
        step();
        Ok(agreement)
    }
}

/// Tells of bytes that were read.
fn packing<'a>(
    gguf: &Gguf<Box<dyn ReadSeek>>,
    progress: &'a mut dyn FnMut(Progress),
) -> impl FnMut(u64) + use<'a> {
    let mut done = 0;
    let total = gguf.tensors().iter().map(|tensor| tensor.bytes).sum();
    move |bytes| {
        done += bytes;
        progress(Progress::Pack { done, total });
    }
}

/// Both speeds in words.
fn speeds(report: &Report) -> String {
    let in_words =
        |speed: Option<f64>| speed.map_or("not measured".to_owned(), |speed| format!("{speed:.1} tokens/s"));
    let check = report.check.as_ref();
    let gpu = in_words(check.and_then(|check| check.gpu_tokens_per_s));
    let cpu = in_words(check.and_then(|check| check.cpu_tokens_per_s));
    format!("GPU {gpu}, processor {cpu}")
}
