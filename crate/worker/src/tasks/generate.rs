//! One answer, token by token; messages of the page are let in between two.

use engine::{Engine, Generation, Request, Step};
use protocol::{FinishReason, Finished, FromWorker, Generate, Moved, Prefill, Token};
use web_sys::AbortSignal;

use crate::clock::now_ms;
use crate::errors::Result;
use crate::js;
use crate::messages::{self, yield_to_messages};

/// When things happened, ms since the Unix epoch.
#[derive(Debug, Default)]
struct Times {
    asked: f64,
    started: f64,
    read: f64,
    first: Option<f64>,
    last: f64,
}

/// Answers a conversation, token by token, until it ends or the signal is given.
pub(crate) async fn generate(engine: &mut Engine, ask: &Generate, signal: &AbortSignal) -> Result<Finished> {
    engine.set_thinking(ask.thinking);
    let prompt = engine.chat_prompt(&ask.messages)?;
    let request = Request {
        sampling: ask.sampling.clone(),
        max_tokens: ask.max_tokens as usize,
        stop: ask.stop.clone(),
    };
    let mut generation = engine.start(&prompt, &request)?;
    let mut times = Times { asked: ask.asked_ms, started: now_ms(), ..Times::default() };
    times.read = times.started;
    post_prefill(ask.id, &generation, generation.reused_tokens(), times.started);
    let mut index = 0;
    loop {
        yield_to_messages().await;
        if signal.aborted() {
            return Ok(finished(ask.id, &generation, &times, FinishReason::Aborted, String::new()));
        }
        match engine.step(&mut generation).await? {
            Step::Prefill { done, .. } => {
                // After a move the answer is read again as well; that is no longer the prompt being read.
                if index == 0 {
                    times.read = now_ms();
                    post_prefill(ask.id, &generation, done.min(generation.prompt_tokens()), times.read);
                }
            }
            Step::Moved { report } => {
                messages::post(&FromWorker::Moved(Moved {
                    id: Some(ask.id),
                    backend: report,
                    at_ms: now_ms(),
                }));
            }
            Step::Token { id: token, text } => {
                times.last = now_ms();
                times.first.get_or_insert(times.last);
                let message = FromWorker::Token(Token { id: ask.id, index, token, text, at_ms: times.last });
                match index {
                    0 => messages::post(&message),
                    _ => messages::hold(&message, times.last),
                }
                index += 1;
            }
            Step::Finished { reason, text } => {
                return Ok(finished(ask.id, &generation, &times, finish_reason(reason), text));
            }
        }
    }
}

fn finish_reason(reason: engine::FinishReason) -> FinishReason {
    match reason {
        engine::FinishReason::EndOfTurn => FinishReason::EndOfTurn,
        engine::FinishReason::StopString => FinishReason::StopString,
        engine::FinishReason::MaxTokens => FinishReason::Budget,
        engine::FinishReason::ContextFull => FinishReason::ContextFull,
    }
}

fn post_prefill(id: u32, generation: &Generation, done: usize, at_ms: f64) {
    messages::post(&FromWorker::Prefill(Prefill {
        id,
        reused: generation.reused_tokens() as u32,
        done: done as u32,
        total: generation.prompt_tokens() as u32,
        at_ms,
    }));
}

fn finished(id: u32, generation: &Generation, times: &Times, reason: FinishReason, text: String) -> Finished {
    Finished {
        id,
        reason,
        text,
        prompt_tokens: generation.prompt_tokens() as u32,
        reused_tokens: generation.reused_tokens() as u32,
        tokens: generation.tokens() as u32,
        ttft_ms: times.first.map(|first| first - times.asked),
        prefill_ms: times.read - times.started,
        decode_ms: times.first.map_or(0.0, |first| times.last - first),
        total_ms: now_ms() - times.asked,
        memory_bytes: js::memory_bytes(),
    }
}
