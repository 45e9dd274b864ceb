//! Measures the loaded model: the same greedy answer several times, after a warm-up.

use engine::cpu::Stage;
use engine::tokenizer::Specials;
use engine::{Engine, Prompt, Request, Sampling, Step};
use protocol::{Bench, Benched, CpuCosts, FromWorker, GpuCosts, Moved, StageCosts};
use web_sys::AbortSignal;

use crate::clock::now_ms;
use crate::errors::{Error, Result};
use crate::messages::{self, yield_to_messages};

/// Repeated until it is long enough: the words do not change how fast they are read.
const TEXT: &str = "The harbour was quiet in the early morning, and the boats lay still on the grey water. ";

/// Most of each that may be asked for.
const MOST: u32 = 8192;

/// One run.
struct Run {
    prefill_tokens_per_s: f64,
    decode_tokens_per_s: f64,
    ttft_ms: f64,
}

/// Runs the measurement that was asked for.
pub(crate) async fn bench(engine: &mut Engine, asked: Bench, signal: &AbortSignal) -> Result<Benched> {
    let fits = u64::from(asked.prefill) + u64::from(asked.decode) <= engine.info().context as u64;
    let sane = asked.prefill > 0 && (2..=MOST).contains(&asked.decode) && (1..=100).contains(&asked.runs);
    if !fits || !sane {
        return Err(Error::Unmeasurable {
            prefill: asked.prefill,
            decode: asked.decode,
            context: engine.info().context,
        });
    }
    let text = engine.tokenizer().encode(TEXT, Specials::AsText)?;
    let tokens: Vec<u32> = text.iter().copied().cycle().take(asked.prefill as usize).collect();
    run(engine, &tokens, asked, signal).await?;
    if let Some(gpu) = engine.gpu_mut() {
        gpu.reset_counters();
    }
    let mut runs = Vec::new();
    for _ in 0..asked.runs {
        runs.push(run(engine, &tokens, asked, signal).await?);
    }
    let decode_tokens_per_s = median(runs.iter().map(|run| run.decode_tokens_per_s));
    Ok(Benched {
        asked,
        backend: engine.backend_name(),
        prefill_tokens_per_s: median(runs.iter().map(|run| run.prefill_tokens_per_s)),
        decode_tokens_per_s,
        ttft_ms: median(runs.iter().map(|run| run.ttft_ms)),
        gpu: gpu_costs(engine, asked, decode_tokens_per_s).await?,
        cpu: cpu_costs(engine, asked),
    })
}

async fn run(engine: &mut Engine, tokens: &[u32], asked: Bench, signal: &AbortSignal) -> Result<Run> {
    // Reading something else first empties the cache, so that nothing is reused.
    engine.logits(&tokens[..1], &mut |_, _| {}).await?;
    let max_tokens = asked.decode as usize;
    let request = Request { sampling: Sampling::greedy(), max_tokens, stop: Vec::new() };
    let mut generation = engine.start(&Prompt::read(tokens.to_vec()), &request)?;
    let start = now_ms();
    let mut read = start;
    let mut first = start;
    let mut last = start;
    let mut count = 0u32;
    loop {
        yield_to_messages().await;
        if signal.aborted() {
            return Err(Error::Aborted);
        }
        match engine.step(&mut generation).await? {
            Step::Prefill { .. } => read = now_ms(),
            Step::Token { .. } => {
                last = now_ms();
                if count == 0 {
                    first = last;
                }
                count += 1;
            }
            Step::Moved { report } => {
                let cause = report.reason.clone();
                messages::post(&FromWorker::Moved(Moved { id: None, backend: report, at_ms: now_ms() }));
                return Err(Error::Moved { cause });
            }
            Step::Finished { .. } => break,
        }
    }
    // The GPU only enqueues a prompt: it is read when the first token comes.
    let read = if engine.gpu().is_some() { first } else { read };
    let rate = |tokens: u32, ms: f64| if ms > 0.0 { f64::from(tokens) * 1e3 / ms } else { 0.0 };
    Ok(Run {
        prefill_tokens_per_s: rate(asked.prefill, read - start),
        decode_tokens_per_s: rate(count.saturating_sub(1), last - first),
        ttft_ms: first - start,
    })
}

/// Passes that a profile is the mean of.
const PASSES: u32 = 32;

fn cpu_costs(engine: &mut Engine, asked: Bench) -> Option<CpuCosts> {
    let costs = engine.profile_cpu((asked.prefill + asked.decode / 2) as usize, PASSES)?;
    let of = |(stage, ms): &(Stage, f64)| StageCosts {
        name: stage.to_string(),
        ms: *ms,
        product: stage.is_product(),
    };
    let stages = costs.stages.iter().map(of).collect();
    Some(CpuCosts { stages, bytes_per_token: costs.bytes_per_token, threads: engine.threads() as u32 })
}

async fn gpu_costs(engine: &mut Engine, asked: Bench, tokens_per_s: f64) -> Result<Option<GpuCosts>> {
    let Some(costs) = engine.gpu_counters() else { return Ok(None) };
    let Some(profile) = engine.profile((asked.prefill + asked.decode / 2) as usize).await? else {
        return Ok(None);
    };
    let per_token = |count: u64| count as f64 / costs.tokens.max(1) as f64;
    Ok(Some(GpuCosts {
        dispatches_per_token: per_token(costs.dispatches),
        passes_per_token: per_token(costs.passes),
        readback_bytes_per_token: per_token(costs.readback_bytes),
        gigabytes_per_s: profile.bytes_per_token as f64 * tokens_per_s / 1e9,
        copy_gigabytes_per_s: profile.copy_bytes_per_s / 1e9,
        kernels: profile.kernels.into_iter().map(|kernel| (kernel.name, kernel.ms)).collect(),
    }))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    0.5 * (values[(values.len() - 1) / 2] + values[values.len() / 2])
}
