//! `nibble perplexity`
//!
//! The text's tokens are cut into chunks of `--chunk` tokens that do not overlap; the last one may be short.
//! Each chunk is read into an empty cache, and every token of it but the first is scored by the logits before
//! it. The result is e to the mean negative log-likelihood over all scored tokens.
//!
//! With `--second-half` it is the procedure of llama.cpp's own `llama-perplexity`: whole chunks only, the
//! beginning token (of a model that expects one) in place of each chunk's first token, and only the second
//! half of a chunk scored, so that every scored token has at least half a chunk before it.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use engine::tokenizer::Specials;
use engine::{Engine, block_on};
use serde_json::json;

use crate::load::BackendArgs;
use crate::model::ModelArgs;
use crate::output;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble perplexity tests/golden/english.txt
  nibble perplexity book.txt --second-half
  nibble perplexity book.txt --model other.gguf --chunk 1024 --json")]
pub(crate) struct Args {
    /// Text file, UTF-8
    file: PathBuf,
    /// Tokens in a chunk
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(4..=65_536))]
    chunk: u32,
    /// Score the second half of whole chunks only, as llama-perplexity does
    #[arg(long)]
    second_half: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    backend: BackendArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let name = args.file.display();
    let bytes = std::fs::read(&args.file).with_context(|| format!("{name}: cannot be read"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name}: is not UTF-8 text"))?;
    let mut engine = args.backend.load(&args.model, args.chunk as usize)?;
    let chunk = engine.info().context;
    let tokens = engine.tokenizer().encode_whole(&text, Specials::AsText)?;
    let score = score(&mut engine, &tokens, chunk, args.second_half)?;
    if score.tokens == 0 {
        let least = if args.second_half { chunk } else { 2 };
        bail!("{name}: has {} tokens; a perplexity needs at least {least}", tokens.len());
    }
    let perplexity = (score.total / score.tokens as f64).exp();
    let scored = score.tokens;
    if args.json {
        let scores = if args.second_half { "second half" } else { "all but the first" };
        return output::line(json!({
            "file": args.file, "perplexity": perplexity, "tokens": tokens.len(), "scored": scored, "chunk": chunk,
            "scores": scores,
        }));
    }
    let tokens = tokens.len();
    output::line(format_args!(
        "perplexity {perplexity:.4} over {scored} of {tokens} tokens, chunks of {chunk}"
    ))
}

/// Sum of negative log-likelihoods, and how many there are.
#[derive(Default)]
struct Score {
    total: f64,
    tokens: usize,
}

fn score(engine: &mut Engine, tokens: &[u32], chunk: usize, second_half: bool) -> Result<Score> {
    let mut score = Score::default();
    let chunks = tokens.chunks(chunk);
    let (from, count) = if second_half { (chunk / 2, tokens.len() / chunk) } else { (0, chunks.len()) };
    let beginning = engine.tokenizer().bos().filter(|_| engine.tokenizer().adds_bos());
    let watched = std::io::stderr().is_terminal();
    for (index, chunk) in chunks.take(count).enumerate() {
        let mut chunk = chunk.to_vec();
        chunk[0] = beginning.unwrap_or(chunk[0]);
        block_on(engine.logits(&chunk, &mut |position, logits| {
            if let Some(next) = chunk.get(position + 1).filter(|_| position >= from) {
                score.total += negative_log_likelihood(logits, *next);
                score.tokens += 1;
            }
        }))?;
        if watched {
            output::note(format_args!("\rchunk {} of {count}", index + 1));
        }
    }
    if watched {
        output::note("\n");
    }
    Ok(score)
}

/// −ln softmax(logits)[token], in f64.
fn negative_log_likelihood(logits: &[f32], token: u32) -> f64 {
    let peak = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|l| f64::from(l - peak).exp()).sum();
    sum.ln() - f64::from(logits[token as usize] - peak)
}
