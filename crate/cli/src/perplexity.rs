//! `nibble perplexity`
//!
//! The text's tokens are cut into chunks of `--chunk` tokens that do not overlap; the last one may be short.
//! Each chunk is read into an empty cache, and every token of it but the first is scored by the logits before
//! it. The result is e to the mean negative log-likelihood over all scored tokens.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use engine::block_on;
use serde_json::json;

use crate::model::ModelArgs;
use crate::tokenize::text_tokens;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble perplexity tests/golden/english.txt
  nibble perplexity book.txt --model other.gguf --chunk 1024 --json")]
pub(crate) struct Args {
    /// Text file, UTF-8
    file: PathBuf,
    /// Tokens in a chunk
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(2..=65_536))]
    chunk: u32,
    #[command(flatten)]
    model: ModelArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let name = args.file.display();
    let bytes = std::fs::read(&args.file).with_context(|| format!("{name}: cannot be read"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name}: is not UTF-8 text"))?;
    let mut engine = args.model.load(args.chunk as usize)?;
    let chunk = engine.info().context;
    let tokens = text_tokens(&engine, &text)?;
    if tokens.len() < 2 {
        bail!("{name}: has {} tokens; a perplexity needs at least 2", tokens.len());
    }
    let (mut total, mut scored) = (0.0f64, 0usize);
    for chunk in tokens.chunks(chunk) {
        block_on(engine.logits(chunk, &mut |position, logits| {
            if let Some(next) = chunk.get(position + 1) {
                total += negative_log_likelihood(logits, *next);
                scored += 1;
            }
        }))?;
    }
    let perplexity = (total / scored as f64).exp();
    if args.json {
        let json = json!({
            "file": args.file, "perplexity": perplexity, "tokens": tokens.len(), "scored": scored, "chunk": chunk,
        });
        println!("{json}");
    } else {
        println!("perplexity {perplexity:.4} over {scored} of {} tokens, chunks of {chunk}", tokens.len());
    }
    Ok(())
}

/// −ln softmax(logits)[token], in f64.
fn negative_log_likelihood(logits: &[f32], token: u32) -> f64 {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|l| f64::from(l - peak).exp()).sum();
    sum.ln() - f64::from(logits[token as usize] - peak)
}
