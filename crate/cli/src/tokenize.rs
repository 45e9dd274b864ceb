//! `nibble tokenize`

use std::io::{Read, Write};

use anyhow::{Context, Result};
use engine::tokenizer::Specials;
use engine::{Engine, Tokenizer};
use serde_json::json;

use crate::model::ModelArgs;
use crate::output::plain;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble tokenize 'Hello, world!'
  nibble tokenize --special '<|im_start|>user' --json
  nibble tokenize < letter.txt")]
pub(crate) struct Args {
    /// Text; standard input when left out
    text: Option<String>,
    /// Names of special tokens in the text mean those tokens
    #[arg(long)]
    special: bool,
    #[command(flatten)]
    model: ModelArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let tokenizer = Tokenizer::from_gguf(&mut args.model.open()?)?;
    let text = match &args.text {
        Some(text) => text.clone(),
        None => standard_input()?,
    };
    let ids = tokenizer.encode(&text, if args.special { Specials::Parse } else { Specials::AsText })?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let tokens: Vec<_> = ids.iter().map(|id| tokenizer.token_text(*id)).collect();
        writeln!(out, "{}", json!({ "ids": ids, "tokens": tokens, "count": ids.len() }))?;
        return Ok(());
    }
    for id in &ids {
        writeln!(out, "{id:>8}  {}", plain(tokenizer.token_text(*id).unwrap_or_default()))?;
    }
    writeln!(out, "{} tokens", ids.len())?;
    Ok(())
}

/// All of standard input.
pub(crate) fn standard_input() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).context("standard input: cannot be read")?;
    String::from_utf8(bytes).context("standard input: is not UTF-8 text")
}

/// Tokens of a plain text, with the beginning token where the model expects one.
pub(crate) fn text_tokens(engine: &Engine, text: &str) -> Result<Vec<u32>> {
    let tokenizer = engine.tokenizer();
    let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
    ids.extend(tokenizer.encode(text, Specials::AsText)?);
    Ok(ids)
}
