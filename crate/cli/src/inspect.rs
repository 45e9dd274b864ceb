//! `nibble inspect`

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use engine::gguf::Gguf;
use engine::model::{Plan, Spec};
use serde_json::{Value, json};

use crate::model::{ModelArgs, open};
use crate::output::plain;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble inspect models/SmolLM2-135M-Instruct.Q4_1.gguf
  nibble inspect model.gguf --tensors --json")]
pub(crate) struct Args {
    /// GGUF file; as --model
    file: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArgs,
    /// List every tensor
    #[arg(long)]
    tensors: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let gguf = match &args.file {
        Some(file) => open(file)?,
        None => args.model.open()?,
    };
    // A file of another architecture can still be looked at.
    let spec = Plan::of(&gguf, usize::MAX).map(|plan| plan.spec);
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", as_json(&gguf, &spec, args.tensors)?)?;
        return Ok(());
    }
    let metadata = gguf.metadata();
    writeln!(out, "{}: {} bytes", gguf.file(), gguf.file_bytes())?;
    writeln!(out, "name          {}", plain(metadata.opt_str("general.name")?.unwrap_or("(none)")))?;
    match &spec {
        Ok(c) => {
            writeln!(out, "architecture  {}", c.architecture)?;
            writeln!(out, "layers        {}", c.layers.len())?;
            writeln!(out, "width         {}, feed-forward {}", c.width, c.ffn)?;
            writeln!(out, "heads         {}, key-value {}, of {} each", c.heads, c.kv_heads, c.head_dim)?;
            writeln!(out, "vocabulary    {}", c.vocabulary)?;
            writeln!(out, "context       {}", c.context)?;
        }
        Err(error) => writeln!(out, "cannot be run: {}", plain(&error.to_string()))?,
    }
    let template = metadata.opt_str("tokenizer.chat_template")?.is_some();
    writeln!(out, "chat template {}", if template { "yes" } else { "no" })?;
    for (dtype, tensors, bytes) in gguf.types() {
        writeln!(out, "{dtype:<6} {tensors:>4} tensors {bytes:>12} bytes")?;
    }
    if args.tensors {
        for tensor in gguf.tensors() {
            writeln!(out, "{:<32} {:<6} {:?}", plain(&tensor.name), tensor.dtype.to_string(), tensor.shape)?;
        }
    }
    Ok(())
}

/// `cargo xtask model add` makes an entry of the catalogue of it.
fn as_json(gguf: &Gguf<File>, spec: &engine::Result<Spec>, list: bool) -> Result<Value> {
    let types: Vec<_> = gguf
        .types()
        .into_iter()
        .map(|(dtype, tensors, bytes)| json!({ "type": dtype, "tensors": tensors, "bytes": bytes }))
        .collect();
    let tensors: Vec<_> = gguf
        .tensors()
        .iter()
        .filter(|_| list)
        .map(|t| json!({ "name": t.name, "type": t.dtype.to_string(), "shape": t.shape, "bytes": t.bytes }))
        .collect();
    let metadata = gguf.metadata();
    let mut value = json!({
        "file": gguf.file(),
        "bytes": gguf.file_bytes(),
        "name": metadata.opt_str("general.name")?,
        "license": metadata.opt_str("general.license")?,
        "types": types,
    });
    match spec {
        Ok(c) => {
            value["architecture"] = json!(c.architecture);
            value["layers"] = json!(c.layers.len());
            value["width"] = json!(c.width);
            value["heads"] = json!(c.heads);
            value["kv_heads"] = json!(c.kv_heads);
            value["vocabulary"] = json!(c.vocabulary);
            value["context"] = json!(c.context);
            value["needs"] = json!(engine::cpu::needs(gguf)?);
        }
        Err(error) => value["cannot_run"] = json!(error.to_string()),
    }
    if list {
        value["tensors"] = json!(tensors);
    }
    Ok(value)
}
