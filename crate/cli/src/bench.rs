//! `nibble bench`

use std::time::Instant;

use anyhow::{Result, bail};
use engine::gpu::Gpu;
use engine::tokenizer::Specials;
use engine::{Engine, Prompt, Request, Sampling, Step, block_on};
use latency::Ms;
use latency::stats::{Measured, Summary, Timing};
use serde_json::{Value, json};

use crate::costs::{CpuCosts, GpuCosts};
use crate::latency_bench::{self, LatencyArgs};
use crate::load::{self, BackendArgs};
use crate::model::ModelArgs;
use crate::output;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble bench
  nibble bench --prefill 512 --decode 128 --runs 9 --json
  nibble bench --backend gpu --variant workgroup-float-64x1x1
  nibble bench --latency --answers 300 --within 10 --csv samples.csv")]
pub(crate) struct Args {
    /// Prompt tokens
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=8192))]
    prefill: u32,
    /// Tokens to decode after them
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=8192))]
    decode: u32,
    /// Runs; the first is warm-up and left out
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=1000))]
    runs: u32,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    backend: BackendArgs,
    #[command(flatten)]
    latency: LatencyArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Repeated until it is long enough: what is read does not change how fast it is read.
const TEXT: &str = "The harbour was quiet in the early morning, and the boats lay still on the grey water. ";

pub(crate) fn run(args: &Args) -> Result<()> {
    if args.latency.latency {
        return latency_bench::run(&args.latency, &args.model, &args.backend, args.json);
    }
    let mut engine = args.backend.load(&args.model, (args.prefill + args.decode + 1) as usize)?;
    if engine.info().context < (args.prefill + args.decode) as usize {
        bail!("the model's context holds {} tokens; ask for fewer", engine.info().context);
    }
    let text = engine.tokenizer().encode_whole(TEXT, Specials::AsText)?;
    let tokens: Vec<u32> = text.iter().copied().cycle().take(args.prefill as usize).collect();
    if tokens.is_empty() {
        bail!("the model's tokenizer makes no tokens of a plain text; nothing to measure");
    }
    let runs = (0..args.runs).map(|_| measure(&mut engine, &tokens, args)).collect::<Result<Vec<_>>>()?;
    if runs.iter().any(|run| run.ids != runs[0].ids) {
        bail!("greedy decoding gave different tokens in different runs: the figures mean nothing");
    }
    let counted = engine.gpu().map(Gpu::counters);
    // The first run also fills caches of the machine.
    let measured = Figures::new(&runs[1..]);
    let middle = (args.prefill + args.decode / 2) as usize;
    let gpu = GpuCosts::measure(&mut engine, counted, middle, measured.decode[0])?;
    let cpu = CpuCosts::measure(&mut engine, middle, measured.decode[0]);
    if args.json {
        let mut json = as_json(&engine, args, &tokens, &runs, &measured);
        json["gpu"] = gpu.as_ref().map(GpuCosts::as_json).into();
        json["cpu"] = cpu.as_ref().map(CpuCosts::as_json).into();
        return output::line(json);
    }
    print(&engine, args, &measured)?;
    gpu.as_ref().map_or(Ok(()), GpuCosts::print)?;
    cpu.as_ref().map_or(Ok(()), CpuCosts::print)
}

/// One run: what was answered, how fast the prompt was read, tokens/s, and when each token came.
struct Run {
    ids: Vec<u32>,
    prefill: f64,
    timing: Timing,
}

fn measure(engine: &mut Engine, tokens: &[u32], args: &Args) -> Result<Run> {
    // Reading something else first empties the cache, so that nothing is reused.
    block_on(engine.logits(&tokens[..1], &mut |_, _| {}))?;
    if let Some(gpu) = engine.gpu_mut() {
        gpu.reset_counters();
    }
    let request =
        Request { sampling: Sampling::greedy(), max_tokens: args.decode as usize, stop: Vec::new() };
    let mut generation = engine.start(&Prompt::read(tokens.to_vec()), &request)?;
    let start = Instant::now();
    let mut ids = Vec::new();
    let mut arrivals = Vec::new();
    loop {
        match block_on(engine.step(&mut generation))? {
            Step::Moved { report } => bail!("{}", report.reason),
            Step::Prefill { .. } => {}
            Step::Token { id, .. } => {
                arrivals.push(Ms(start.elapsed().as_secs_f64() * 1e3));
                ids.push(id);
            }
            Step::Finished { .. } => break,
        }
    }
    let timing = Timing::new(Ms(0.0), &arrivals).filter(|timing| timing.tokens_per_second().is_some());
    let Some(timing) = timing else { bail!("the model ended its turn at once; nothing to measure") };
    let fresh = tokens.len() - generation.reused_tokens();
    // Until the first token is there: a GPU tells no earlier that it has read the prompt.
    Ok(Run { ids, prefill: fresh as f64 / (timing.ttft.0 / 1e3), timing })
}

/// Median, least and most of some rates, tokens/s; there is at least one.
fn spread(rates: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut rates: Vec<f64> = rates.collect();
    rates.sort_by(f64::total_cmp);
    let half = rates.len() / 2;
    let last = rates.len() - 1;
    [0.5 * (rates[last / 2] + rates[half]), rates[0], rates[last]]
}

/// Figures of the counted runs.
struct Figures {
    runs: usize,
    summary: Summary<Measured>,
    prefill: [f64; 3],
    decode: [f64; 3],
}

impl Figures {
    fn new(runs: &[Run]) -> Self {
        let mut summary = Summary::new(Measured);
        runs.iter().for_each(|run| summary.record(&run.timing));
        let prefill = spread(runs.iter().map(|run| run.prefill));
        let decode = spread(runs.iter().filter_map(|run| run.timing.tokens_per_second()));
        Self { runs: runs.len(), summary, prefill, decode }
    }

    fn gap(&self, share: f64) -> Option<f64> {
        self.summary.inter_token.percentile(share).map(|ms| ms.0)
    }
}

/// Name of what multiplies: the processor's instructions, or the GPU kernels' variant.
fn kernels(engine: &Engine) -> String {
    let of_cpu = || engine::cpu::dispatch::detect().name.to_owned();
    engine.gpu().map_or_else(of_cpu, |gpu| gpu.variant().to_string())
}

fn as_json(engine: &Engine, args: &Args, prompt: &[u32], runs: &[Run], figures: &Figures) -> Value {
    let rates = |[median, least, most]: [f64; 3]| json!({ "median": median, "least": least, "most": most });
    let gaps = &figures.summary.inter_token;
    json!({
        "model": engine.info().name, "backend": load::as_json(engine), "kernels": kernels(engine),
        "threads": engine.gpu().is_none().then_some(engine.threads()),
        "unit": "tokens per second", "origin": "measured", "runs": figures.runs,
        "prefill_tokens": args.prefill, "decode_tokens": args.decode,
        "prefill": rates(figures.prefill), "decode": rates(figures.decode),
        "ttft_mean_ms": figures.summary.ttft.mean().map(|ms| ms.0),
        "inter_token_ms": {
            "samples": gaps.count(), "p50": figures.gap(0.5), "p90": figures.gap(0.9), "p99": figures.gap(0.99)
        },
        // So that another engine can be asked the same, and its answer compared.
        "prompt_ids": prompt, "answer_ids": runs[0].ids,
    })
}

fn print(engine: &Engine, args: &Args, figures: &Figures) -> Result<()> {
    let name = output::plain(&engine.info().name);
    let backend = engine.backend_name();
    let on = match engine.gpu() {
        Some(gpu) => format!("{}, {}", output::plain(gpu.adapter().name()), gpu.variant()),
        None => format!("{}, threads: {}", kernels(engine), engine.threads()),
    };
    let count = figures.runs;
    output::line(format_args!("{name} on {backend} ({on}), {count} runs after one warm-up"))?;
    for (what, tokens, [median, least, most]) in
        [("prefill", args.prefill, figures.prefill), ("decode", args.decode, figures.decode)]
    {
        output::line(format_args!(
            "{what:<8} {tokens:>5} tokens  {median:>7.1} tokens/s  ({least:.1} to {most:.1})"
        ))?;
    }
    let told = |share| figures.gap(share).map_or("too few samples".to_owned(), |ms| format!("{ms:.1} ms"));
    let p50 = told(0.5);
    let p90 = told(0.9);
    let p99 = told(0.99);
    let gaps = figures.summary.inter_token.count();
    output::line(format_args!("between tokens: P50 {p50}, P90 {p90}, P99 {p99} over {gaps} gaps"))
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn of_an_even_number_the_median_lies_between_the_middle_two() {
        assert_eq!(spread([4.0, 1.0, 2.0, 9.0].into_iter()), [3.0, 1.0, 9.0]);
        assert_eq!(spread([4.0, 1.0, 2.0].into_iter()), [2.0, 1.0, 4.0]);
    }
}
