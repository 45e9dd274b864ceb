//! One answer: a prompt in, one token a step out.

use super::engine::Engine;
use super::stop::StopStrings;
use crate::error::{Error, Result};
use crate::model::{Backend, Token, run_ops};
use crate::sampler::{Sampler, Sampling};
use crate::select::{Active, Report};
use crate::tokenizer::{Prompt, TextStream};

/// A request for an answer.
#[derive(Clone, Debug)]
pub struct Request {
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Most tokens to answer with, at least 1.
    pub max_tokens: usize,
    /// Texts that end the answer; not part of it.
    pub stop: Vec<String>,
}

/// Why a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// The model chose an end-of-generation token.
    EndOfTurn,
    /// A stop string came up.
    StopString,
    /// As many tokens as were asked for.
    MaxTokens,
    /// The context is full.
    ContextFull,
}

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A piece of the prompt was read.
    Prefill {
        /// Prompt tokens read, the reused ones included.
        done: usize,
        /// Prompt tokens in all.
        total: usize,
    },
    /// A token was chosen.
    Token {
        /// Entry of the vocabulary.
        id: u32,
        /// Text that became complete with it.
        text: String,
    },
    /// The GPU failed; the processor goes on with this answer.
    Moved {
        /// The backend that runs now, and why.
        report: Report,
    },
    /// The generation is over.
    Finished {
        /// Why.
        reason: FinishReason,
        /// Text held back until now.
        text: String,
    },
}

/// One answer under way. Dropping it is how it is aborted.
pub struct Generation {
    /// The prompt; after a move to another backend, also what was answered until then.
    prompt: Vec<Token>,
    prompt_tokens: usize,
    reused: usize,
    /// Prompt tokens in the cache.
    read: usize,
    tokens: usize,
    max_tokens: usize,
    sampler: Sampler,
    stream: TextStream,
    stop: StopStrings,
    /// The token chosen last, not yet read into the cache.
    pending: Option<u32>,
    /// Every token chosen.
    answer: Vec<u32>,
    /// Whether the device chooses, rather than the sampler from logits.
    on_device: bool,
    /// Why the next step ends it.
    finished: Option<FinishReason>,
}

impl Generation {
    /// Everything so far is to be read again, by a backend that has read none of it.
    fn restart(&mut self) {
        self.prompt.truncate(self.prompt_tokens);
        self.prompt.extend(self.answer.iter().copied().map(Token::fine));
        self.read = 0;
        self.pending = None;
        self.on_device = false;
    }

    /// Prompt tokens, reused ones included.
    pub fn prompt_tokens(&self) -> usize {
        self.prompt_tokens
    }

    /// Prompt tokens that were in the cache already.
    pub fn reused_tokens(&self) -> usize {
        self.reused
    }

    /// Tokens chosen so far, the end-of-generation token included.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}

impl Engine {
    /// Begins an answer. The part of the prompt that the cache holds already, read with the same precision, is kept and
    /// not read again.
    ///
    /// # Errors
    /// The prompt is empty or does not fit the context, or a setting is out of its range.
    pub fn start(&mut self, prompt: &Prompt, request: &Request) -> Result<Generation> {
        let ids = prompt.ids();
        if ids.is_empty() {
            return Err(Error::BadPrompt { cause: "it is empty; type what the model should answer".into() });
        }
        if ids.len() >= self.info.context {
            return Err(self.too_long(&ids.len().to_string()));
        }
        if request.max_tokens == 0 {
            let value = "0".to_owned();
            return Err(Error::BadSetting { setting: "max tokens", value, range: "at least 1" });
        }
        let mut sampler = Sampler::new(request.sampling.clone(), self.plan.spec.vocabulary)?;
        for token in ids {
            if *token as usize >= self.plan.spec.vocabulary {
                let cause =
                    format!("token {token} is outside the vocabulary of {}", self.plan.spec.vocabulary);
                return Err(Error::BadPrompt { cause });
            }
            sampler.accept(*token);
        }
        // The last prompt token is read again even when cached: its logits choose the first token.
        let read: Vec<Token> = prompt.tokens(self.reading).collect();
        let exact = matches!(&self.backend, Active::Gpu(_));
        let same = |(held, token): &(&Token, &Token)| held.id == token.id && (exact || held == token);
        let reused = self.cached.iter().zip(&read).take_while(same).count().min(ids.len() - 1);
        self.cached.truncate(reused);
        Ok(Generation {
            prompt: read,
            prompt_tokens: ids.len(),
            on_device: matches!(&self.backend, Active::Gpu(gpu) if gpu.can_choose(&request.sampling)),
            answer: Vec::new(),
            reused,
            read: reused,
            tokens: 0,
            max_tokens: request.max_tokens,
            sampler,
            stream: TextStream::after(&self.tokenizer, ids),
            stop: StopStrings::new(&request.stop),
            pending: None,
            finished: None,
        })
    }

    /// Reads one piece of the prompt, or chooses one token. A generation that another one has replaced must
    /// not be stepped. A GPU that fails is left for the processor, which goes on with the same tokens.
    ///
    /// # Errors
    /// The processor's.
    pub async fn step(&mut self, generation: &mut Generation) -> Result<Step> {
        if let Some(reason) = generation.finished {
            let text = if reason == FinishReason::StopString {
                String::new()
            } else {
                let tail = generation.stream.flush();
                generation.stop.finish(&tail)
            };
            return Ok(Step::Finished { reason, text });
        }
        let stepped = match generation.read < generation.prompt.len() {
            true => self.prefill(generation).await,
            false => self.next_token(generation).await,
        };
        match (stepped, &self.backend) {
            (Err(error), Active::Gpu(_)) => {
                self.move_to_cpu(&error)?;
                generation.restart();
                Ok(Step::Moved { report: self.report().clone() })
            }
            (stepped, _) => stepped,
        }
    }

    /// Reads one piece of the prompt.
    async fn prefill(&mut self, generation: &mut Generation) -> Result<Step> {
        let start = generation.read;
        let total = generation.prompt.len();
        let end = total.min(start + self.backend.max_batch());
        let tokens = &generation.prompt[start..end];
        match &mut self.backend {
            Active::Gpu(gpu) if generation.on_device => {
                if end == total {
                    let left = generation.max_tokens - generation.tokens;
                    gpu.begin_choosing(&generation.sampler, left).await?;
                    gpu.begin(tokens, start);
                    run_ops(gpu.as_mut(), self.plan.body());
                    gpu.choose_first(end)?;
                    self.cached.extend_from_slice(tokens);
                } else {
                    self.advance(tokens, 0).await?;
                }
            }
            _ => self.advance(tokens, usize::from(end == total)).await?,
        }
        generation.read = end;
        Ok(Step::Prefill { done: end, total })
    }

    /// Reads the token chosen last, then chooses the next: a token is handed out before it is read.
    async fn next_token(&mut self, generation: &mut Generation) -> Result<Step> {
        let id = match &mut self.backend {
            Active::Gpu(gpu) if generation.on_device => {
                let id = gpu.next(self.clock).await?;
                // The device has read the one before already, and perhaps more that may never be asked for.
                self.cached.extend(generation.pending.take().map(Token::fine));
                generation.sampler.accept_chosen(id);
                id
            }
            _ => {
                if let Some(pending) = generation.pending.take() {
                    self.advance(&[Token::fine(pending)], 1).await?;
                }
                let id = generation.sampler.pick(&mut self.logits);
                generation.sampler.accept(id);
                id
            }
        };
        Ok(self.hand_out(generation, id))
    }

    /// Text of a token that was chosen, and whether it ends the answer.
    fn hand_out(&mut self, generation: &mut Generation, id: u32) -> Step {
        generation.tokens += 1;
        generation.answer.push(id);
        if self.tokenizer.is_end_of_generation(id) {
            generation.finished = Some(FinishReason::EndOfTurn);
            return Step::Token { id, text: String::new() };
        }
        let piece = generation.stream.push(&self.tokenizer, id);
        let (text, stopped) = generation.stop.push(&piece);
        if stopped {
            generation.finished = Some(FinishReason::StopString);
        } else if generation.tokens == generation.max_tokens {
            generation.finished = Some(FinishReason::MaxTokens);
        } else if self.cached.len() == self.info.context {
            generation.finished = Some(FinishReason::ContextFull);
        } else {
            generation.pending = Some(id);
        }
        Step::Token { id, text }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
