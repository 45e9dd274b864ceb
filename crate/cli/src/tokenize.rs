//! `nibble tokenize`

use std::io::{Read, Write};

use anyhow::Result;
use engine::tokenizer::Specials;
use engine::{Engine, Tokenizer};
use serde_json::json;

use crate::model::ModelArgs;

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
    let tokenizer = Tokenizer::from_gguf(args.model.open()?.metadata())?;
    let text = match &args.text {
        Some(text) => text.clone(),
        None => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    let ids = tokenizer.encode(&text, if args.special { Specials::Parse } else { Specials::AsText })?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let tokens: Vec<_> = ids.iter().map(|id| tokenizer.token_text(*id)).collect();
        writeln!(out, "{}", json!({ "ids": ids, "tokens": tokens, "count": ids.len() }))?;
        return Ok(());
    }
    for id in &ids {
        writeln!(out, "{id:>8}  {}", tokenizer.token_text(*id).unwrap_or_default())?;
    }
    writeln!(out, "{} tokens", ids.len())?;
    Ok(())
}

/// Tokens of a plain text, with the beginning token where the model expects one.
pub(crate) fn text_tokens(engine: &Engine, text: &str) -> Result<Vec<u32>> {
    let tokenizer = engine.tokenizer();
    let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
    ids.extend(tokenizer.encode(text, Specials::AsText)?);
    Ok(ids)
}
