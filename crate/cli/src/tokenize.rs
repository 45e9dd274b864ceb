//! `nibble tokenize`

use std::io::{Read, Write};

use anyhow::{Context, Result};
use engine::Tokenizer;
use engine::tokenizer::Specials;
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
    /// Leave out the tokens in front and behind that the model expects of every text
    #[arg(long)]
    bare: bool,
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
    let specials = if args.special { Specials::Parse } else { Specials::AsText };
    let ids = match args.bare {
        true => tokenizer.encode(&text, specials)?,
        false => tokenizer.encode_whole(&text, specials)?,
    };
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
