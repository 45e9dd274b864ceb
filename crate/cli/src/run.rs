//! `nibble run`

use std::time::Instant;

use anyhow::Result;
use engine::{Engine, FinishReason, Message, Request, Role, Sampler, Sampling, Step, block_on};
use latency::Ms;
use latency::stats::Timing;
use serde_json::json;

use crate::load::{self, BackendArgs};
use crate::model::ModelArgs;
use crate::output;
use crate::tokenize::standard_input;
use crate::usage::BadUsage;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble run --prompt 'Name three uses of a brick.'
  nibble run --prompt 'Tell me a story.' --temperature 0.8 --top-p 0.95 --seed 7 --max-tokens 200
  nibble run --model model.gguf --prompt 'Hello' --json
  nibble run --system 'Summarise the text.' --prompt - < letter.txt")]
pub(crate) struct Args {
    /// What to answer; - reads standard input
    #[arg(long, short)]
    prompt: String,
    /// Instructions in front of it
    #[arg(long)]
    system: Option<String>,
    /// Most tokens to answer with
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: u32,
    /// Positions in the KV cache
    #[arg(long, default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..))]
    context: u32,
    /// 0 is greedy
    #[arg(long, default_value_t = 0.0)]
    temperature: f32,
    /// Keep this many candidates; 0 keeps all
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Keep the smallest set with this probability mass
    #[arg(long, default_value_t = 1.0)]
    top_p: f32,
    /// Drop candidates below this share of the best one's probability
    #[arg(long, default_value_t = 0.0)]
    min_p: f32,
    /// Divides the odds of tokens already seen
    #[arg(long, default_value_t = 1.0)]
    repetition_penalty: f32,
    /// Seed of the random numbers
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Text that ends the answer; may be repeated
    #[arg(long)]
    stop: Vec<String>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    backend: BackendArgs,
    /// One JSON object at the end instead of text as it comes
    #[arg(long)]
    json: bool,
}

impl Args {
    fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            seed: self.seed,
        }
    }

    fn request(&self) -> Request {
        Request { sampling: self.sampling(), max_tokens: self.max_tokens as usize, stop: self.stop.clone() }
    }
}

/// One answer and its timing.
struct Answer {
    text: String,
    reason: FinishReason,
    prompt_tokens: usize,
    timing: Option<Timing>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    // Before the model is loaded, so that a wrong flag costs no time.
    Sampler::validate(&args.sampling()).map_err(|error| BadUsage(error.to_string()))?;
    let prompt = if args.prompt == "-" { standard_input()? } else { args.prompt.clone() };
    let started = Instant::now();
    let mut engine = args.backend.load(&args.model, args.context as usize)?;
    let loading = ms_since(started);
    let mut messages = Vec::new();
    messages.extend(args.system.clone().map(|content| Message { role: Role::System, content }));
    messages.push(Message { role: Role::User, content: prompt });
    let chat = &engine.info().chat;
    for note in chat.template_note().into_iter().chain(chat.system_note(&messages).map(str::to_owned)) {
        output::note(format_args!("{}\n", output::plain(&note)));
    }
    let answer = answer(&mut engine, &messages, args)?;
    if args.json {
        return output::line(as_json(&engine, &answer, loading));
    }
    output::line("")?;
    output::note(format_args!("{}\n", summary(&engine, &answer, loading)));
    Ok(())
}

fn answer(engine: &mut Engine, messages: &[Message], args: &Args) -> Result<Answer> {
    let asked = Instant::now();
    let prompt = engine.chat_prompt(messages)?;
    let mut generation = engine.start(&prompt, &args.request())?;
    let mut text = String::new();
    let mut arrivals = Vec::new();
    let mut show = |piece: &str| -> Result<()> {
        text.push_str(piece);
        if args.json { Ok(()) } else { output::piece(piece) }
    };
    let reason = loop {
        match block_on(engine.step(&mut generation))? {
            Step::Moved { report } => output::note(format_args!("{}\n", report.reason)),
            Step::Prefill { .. } => {}
            Step::Token { text, .. } => {
                arrivals.push(ms_since(asked));
                show(&text)?;
            }
            Step::Finished { reason, text } => {
                show(&text)?;
                break reason;
            }
        }
    };
    let timing = Timing::new(Ms(0.0), &arrivals);
    Ok(Answer { text, reason, prompt_tokens: prompt.ids().len(), timing })
}

fn ms_since(start: Instant) -> Ms {
    Ms(start.elapsed().as_secs_f64() * 1e3)
}

fn as_json(engine: &Engine, answer: &Answer, loading: Ms) -> serde_json::Value {
    json!({
        "answer": answer.text,
        "finish_reason": reason(answer.reason),
        "prompt_tokens": answer.prompt_tokens,
        "tokens": answer.timing.as_ref().map_or(0, |t| t.gaps.len() + 1),
        "load_ms": loading.0,
        "ttft_ms": answer.timing.as_ref().map(|t| t.ttft.0),
        "prefill_tokens_per_second": prefill_rate(answer),
        "decode_tokens_per_second": answer.timing.as_ref().and_then(Timing::tokens_per_second),
        "end_to_end_ms": answer.timing.as_ref().map(|t| t.end_to_end.0),
        "backend": load::as_json(engine),
        "origin": "measured",
    })
}

fn summary(engine: &Engine, answer: &Answer, loading: Ms) -> String {
    let decode = answer.timing.as_ref().and_then(Timing::tokens_per_second).unwrap_or_default();
    let ttft = answer.timing.as_ref().map_or(0.0, |t| t.ttft.0);
    format!(
        "[measured on {}: load {:.0} ms, first token {ttft:.0} ms, prefill {:.0} tokens/s over {} tokens, decode {decode:.1} tokens/s; {}]",
        engine.backend_name(),
        loading.0,
        prefill_rate(answer),
        answer.prompt_tokens,
        reason(answer.reason),
    )
}

/// Until the first token is there: a GPU tells no earlier that it has read the prompt.
fn prefill_rate(answer: &Answer) -> f64 {
    let ttft = answer.timing.as_ref().map_or(0.0, |t| t.ttft.0);
    answer.prompt_tokens as f64 / (ttft / 1e3).max(1e-9)
}

fn reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::EndOfTurn => "the model ended its turn",
        FinishReason::StopString => "a stop string came up",
        FinishReason::MaxTokens => "the token budget is spent",
        FinishReason::ContextFull => "the context is full",
    }
}
