//! `nibble bench`

use std::time::Instant;

use anyhow::{Result, bail};
use engine::{Engine, Request, Sampling, Step, block_on};
use serde_json::json;

use crate::model::ModelArgs;
use crate::tokenize::text_tokens;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble bench
  nibble bench --prefill 512 --decode 128 --runs 9 --json")]
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
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Repeated until it is long enough: what is read does not change how fast it is read.
const TEXT: &str = "The harbour was quiet in the early morning, and the boats lay still on the grey water. ";

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut engine = args.model.load((args.prefill + args.decode + 1) as usize)?;
    if engine.info().context < (args.prefill + args.decode) as usize {
        bail!("the model's context holds {} tokens; ask for fewer", engine.info().context);
    }
    let mut tokens = Vec::new();
    while tokens.len() < args.prefill as usize {
        tokens.extend(text_tokens(&engine, TEXT)?);
    }
    tokens.truncate(args.prefill as usize);
    let runs = (0..args.runs).map(|_| measure(&mut engine, &tokens, args)).collect::<Result<Vec<_>>>()?;
    if runs.iter().any(|run| run.ids != runs[0].ids) {
        bail!("greedy decoding gave different tokens in different runs: the figures mean nothing");
    }
    let rates = |rate: fn(&Run) -> f64| {
        let mut rates: Vec<f64> = runs[1..].iter().map(rate).collect();
        rates.sort_by(f64::total_cmp);
        rates
    };
    report(&engine, args, &rates(|run| run.prefill), &rates(|run| run.decode));
    Ok(())
}

/// Tokens a second of one run, and what it answered.
struct Run {
    prefill: f64,
    decode: f64,
    ids: Vec<u32>,
}

fn measure(engine: &mut Engine, tokens: &[u32], args: &Args) -> Result<Run> {
    // Reading something else first empties the cache, so that nothing is reused.
    block_on(engine.logits(&tokens[..1], &mut |_, _| {}))?;
    let request =
        Request { sampling: Sampling::greedy(), max_tokens: args.decode as usize, stop: Vec::new() };
    let mut generation = engine.start(tokens, &request)?;
    let start = Instant::now();
    let (mut ids, mut read, mut first) = (Vec::new(), start, start);
    loop {
        match block_on(engine.step(&mut generation))? {
            Step::Prefill { .. } => read = Instant::now(),
            Step::Token { id, .. } => {
                if ids.is_empty() {
                    first = Instant::now();
                }
                ids.push(id);
            }
            Step::Finished { .. } => break,
        }
    }
    if ids.len() < 2 {
        bail!("the model ended its turn at once; nothing to measure");
    }
    let reused = generation.reused_tokens();
    Ok(Run {
        prefill: (tokens.len() - reused) as f64 / (read - start).as_secs_f64(),
        decode: (ids.len() - 1) as f64 / first.elapsed().as_secs_f64(),
        ids,
    })
}

/// `prefill` and `decode` are sorted.
fn report(engine: &Engine, args: &Args, prefill: &[f64], decode: &[f64]) {
    let median = |rates: &[f64]| rates[rates.len() / 2];
    let spread = |rates: &[f64]| (rates[0], rates[rates.len() - 1]);
    if args.json {
        let series = |rates: &[f64]| json!({ "median": median(rates), "least": spread(rates).0, "most": spread(rates).1 });
        let json = json!({
            "model": engine.info().name, "backend": engine.backend_name(), "kernels": engine::cpu::dispatch::detect().name,
            "threads": 1, "unit": "tokens per second", "origin": "measured", "runs": prefill.len(),
            "prefill_tokens": args.prefill, "decode_tokens": args.decode,
            "prefill": series(prefill), "decode": series(decode),
        });
        println!("{json}");
        return;
    }
    println!(
        "{} on {} ({}), 1 thread, {} runs after one warm-up",
        engine.info().name,
        engine.backend_name(),
        engine::cpu::dispatch::detect().name,
        prefill.len()
    );
    for (name, tokens, rates) in [("prefill", args.prefill, prefill), ("decode", args.decode, decode)] {
        let (least, most) = spread(rates);
        println!("{name:<8} {tokens:>5} tokens  {:>7.1} tokens/s  ({least:.1} to {most:.1})", median(rates));
    }
}
