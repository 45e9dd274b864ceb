//! Loading the engine on the processor or the GPU, as the arguments ask.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use engine::cpu::Pool;
use engine::gpu::{Adapter, Device, Settings, Variant};
use engine::{AUTOMATIC_THREADS, Engine, LoadOptions, Precision, Preference, Report, block_on};
use serde_json::{Value, json};

use crate::model::ModelArgs;
use crate::output;
use crate::usage::BadUsage;

/// How a machine without a GPU gets an adapter.
const INSTALL: &str = "On Debian, apt-get install libvulkan1 mesa-vulkan-drivers brings drivers, and one that computes on the \
    processor where there is no GPU; without any, leave --backend gpu out";

/// What computes.
#[derive(clap::Args)]
pub(crate) struct BackendArgs {
    /// What computes: the processor, the GPU, or the faster of the two
    #[arg(long, value_enum, default_value_t = Backend::Cpu)]
    backend: Backend,
    /// The GPU kernels' variant, such as workgroup-float-64x1x1 [default: the fastest measured]
    #[arg(long, value_name = "NAME")]
    variant: Option<Variant>,
    /// Threads that the processor computes on [default: as many as it has, 8 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Bits of the processor's activations while it reads; the model's own words always have 14
    #[arg(long, value_enum, value_name = "BITS", default_value_t = Reading::Eight)]
    reading: Reading,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reading {
    #[value(name = "8")]
    Eight,
    #[value(name = "14")]
    Fourteen,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Backend {
    /// The processor
    Cpu,
    /// The GPU, through Vulkan, Metal or DirectX 12
    Gpu,
    /// The faster of those that pass the self-check
    Auto,
}

impl BackendArgs {
    fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let there = || cores().min(AUTOMATIC_THREADS as usize);
        self.threads.map_or_else(there, usize::from)
    }

    /// Loads a model; says on standard error why the processor computes where the GPU might have.
    pub(crate) fn load(&self, model: &ModelArgs, context: usize) -> Result<Engine> {
        if self.backend == Backend::Cpu && self.variant.is_some() {
            bail!(BadUsage("--variant chooses among the GPU's kernels; add --backend gpu".to_owned()));
        }
        let gguf = model.open()?;
        let (preference, device) = match self.backend {
            Backend::Cpu => (Preference::Cpu, Err(String::new())),
            Backend::Gpu => {
                (Preference::Gpu, Ok(self.device().map_err(|error| anyhow!("{error}. {INSTALL}"))?))
            }
            Backend::Auto => (Preference::Automatic, self.device().map_err(|error| error.to_string())),
        };
        let pool = Pool::spawn(self.threads());
        let reading = match self.reading {
            Reading::Eight => Precision::Eight,
            Reading::Fourteen => Precision::Fourteen,
        };
        let options = LoadOptions {
            context,
            backend: preference,
            reading,
            pool,
            clock: now_ms,
            room: |bytes| bytes,
            remembered: None,
        };
        let mut engine = block_on(Engine::load(gguf, &options, device, &mut |_| {}))?;
        // In UTC: the standard library knows no time zone.
        if let Ok(since) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            engine.set_local_time(since.as_secs() as i64);
        }
        self.accept(engine.report())?;
        Ok(engine)
    }

    fn device(&self) -> engine::Result<Device> {
        let settings = Settings { variant: self.variant, ..Settings::default() };
        block_on(async { Adapter::find().await?.open(settings).await })
    }

    /// Whoever asks for the GPU, or for a variant of its kernels, shall not get figures of something else.
    fn accept(&self, report: &Report) -> Result<()> {
        let adapter = report.adapter.as_deref().unwrap_or("the GPU");
        match (&report.variant, self.variant) {
            (None, _) if self.backend == Backend::Gpu => bail!("{adapter}: {}", report.reason),
            (None, _) if self.backend == Backend::Cpu => {}
            (None, _) => output::note(format_args!("{}: {}\n", report.name, report.reason)),
            (Some(runs), Some(asked)) if *runs != asked.to_string() => {
                bail!(
                    "{adapter}: cannot run the variant {asked}, or gave wrong numbers with it; {runs} works"
                )
            }
            _ => {}
        }
        Ok(())
    }
}

/// A monotonic clock, ms.
pub(crate) fn now_ms() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
}

/// The backend and the reason for it, for `--json`.
pub(crate) fn as_json(engine: &Engine) -> Value {
    let report = engine.report();
    json!({
        "name": report.name,
        "reason": report.reason,
        "adapter": report.adapter,
        "software": engine.gpu().map(|gpu| gpu.adapter().software()),
        "variant": report.variant,
        "check": report.check.as_ref().map(|check| json!({
            "kernels": check.kernels,
            "replaced": check.replaced,
            "tokens": check.tokens,
            "same": check.same,
            "largest_difference": check.largest_difference,
            "gpu_tokens_per_s": check.gpu_tokens_per_s,
            "cpu_tokens_per_s": check.cpu_tokens_per_s,
            "took_ms": check.took_ms,
        })),
    })
}
