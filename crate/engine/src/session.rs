//! A loaded model and its conversation: a prompt in, one token a step out.

use std::io::{Read, Seek};
use std::sync::Arc;

use crate::backend::{LoadOptions, Preference, Progress, Report};
use crate::block_on;
use crate::choose::Model;
use crate::cpu::{Cpu, Pool, Processor};
use crate::error::{Error, Result};
use crate::gguf::{Gguf, ReadSeek};
use crate::gpu::{Device, Gpu};
use crate::info::Info;
use crate::model::{Backend, Config, forward, layers};
use crate::sampler::{Sampler, Sampling};
use crate::stop::StopStrings;
use crate::tokenizer::{ChatTemplate, Message, Specials, TextStream, Tokenizer, plain_prompt};

/// What is asked of a generation.
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
    /// The model ended its turn.
    EndOfTurn,
    /// A stop string came up.
    StopString,
    /// The token budget is spent.
    Budget,
    /// The context is full.
    ContextFull,
}

/// What one step brought.
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
        /// What runs now, and why.
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

/// What the GPU is checked with; models know how such a text goes on.
const CHECK_TEXT: &str = "The harbour was quiet in the early morning, and the boats lay still on the grey water. \
                          The fishermen had gone home to sleep.";

/// Tokens of it that are used: one more than the first batch has.
const CHECK_TOKENS: usize = 18;

/// One answer under way. Dropping it is how it is aborted.
pub struct Generation {
    /// The prompt; after a move to another backend, also what was answered until then.
    prompt: Vec<u32>,
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
        self.prompt.extend_from_slice(&self.answer);
        (self.read, self.pending, self.on_device) = (0, None, false);
    }

    /// Prompt tokens, reused ones included.
    pub fn prompt_tokens(&self) -> usize {
        self.prompt_tokens
    }

    /// Prompt tokens that were in the cache already.
    pub fn reused_tokens(&self) -> usize {
        self.reused
    }

    /// Tokens chosen so far, the one that ends the turn included.
    pub fn tokens(&self) -> usize {
        self.tokens
    }
}

/// What computes.
pub(crate) enum Running {
    Cpu(Box<Cpu>),
    Gpu(Box<Gpu>),
}

impl Running {
    fn max_batch(&self) -> usize {
        match self {
            Self::Cpu(cpu) => cpu.max_batch(),
            Self::Gpu(gpu) => gpu.max_batch(),
        }
    }
}

/// A model that is ready, and the tokens its backend's cache holds.
pub struct Engine {
    pub(crate) info: Info,
    pub(crate) config: Config,
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
    processor: Processor,
    pub(crate) backend: Running,
    pub(crate) clock: fn() -> f64,
    report: Report,
    /// Stays open: another backend may have to read the weights.
    gguf: Gguf<Box<dyn ReadSeek>>,
    /// What the cache holds, position by position. Losing the cache loses no conversation: any backend can
    /// be refilled from the tokens.
    pub(crate) cached: Vec<u32>,
    pub(crate) logits: Vec<f32>,
}

impl Engine {
    /// Loads a model onto the GPU or the processor; `gpu` is an open adapter, or why there is none.
    ///
    /// # Errors
    /// The file lacks something, or asks for something this engine does not have.
    pub async fn load<R: Read + Seek + 'static>(
        gguf: Gguf<R>,
        options: &LoadOptions,
        gpu: Result<Device, String>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self> {
        let mut gguf = gguf.boxed();
        let config = Config::from_metadata(gguf.file(), gguf.metadata())?;
        let context = options.context.clamp(1, config.context);
        let tokenizer = Tokenizer::from_gguf(&mut gguf)?;
        let template = ChatTemplate::from_gguf(gguf.metadata(), &tokenizer)?;
        let info = Info::new(&gguf, &config, context, template.is_some())?;
        let words = tokenizer.encode(CHECK_TEXT, Specials::AsText)?;
        let tokens = words.into_iter().take(context.min(CHECK_TOKENS)).collect();
        let processor = Processor::detect(Arc::clone(&options.pool));
        let model =
            Model { gguf: &mut gguf, config: &config, context, options, processor: &processor, tokens };
        let (backend, report) = model.choose(gpu, progress).await?;
        let cached = Vec::with_capacity(context);
        let logits = Vec::with_capacity(config.vocabulary);
        let clock = options.clock;
        Ok(Self {
            info,
            config,
            tokenizer,
            template,
            processor,
            backend,
            clock,
            report,
            gguf,
            cached,
            logits,
        })
    }

    /// Loads a model onto the processor, all at once, telling nobody.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn on_cpu<R: Read + Seek + 'static>(gguf: Gguf<R>, context: usize) -> Result<Self> {
        let pool = Pool::alone();
        let options =
            LoadOptions { context, backend: Preference::Cpu, pool, clock: || 0.0, remembered: None };
        block_on(Self::load(gguf, &options, Err(String::new()), &mut |_| {}))
    }

    /// Which backend runs, and why.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What the model is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Threads that the processor computes on.
    pub fn threads(&self) -> usize {
        self.processor.pool.threads()
    }

    /// The model's tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Name of the backend that computes, e.g. `cpu-simd`.
    pub fn backend_name(&self) -> String {
        match &self.backend {
            Running::Cpu(cpu) => cpu.name(),
            Running::Gpu(gpu) => gpu.name(),
        }
    }

    /// Tells the chat template what time it is: [`ChatTemplate::set_local_time`].
    pub fn set_local_time(&mut self, seconds: i64) {
        if let Some(template) = &mut self.template {
            template.set_local_time(seconds);
        }
    }

    /// A conversation as the model was trained to read it: the file's chat template, then the tokenizer.
    /// What people wrote cannot become a special token.
    ///
    /// # Errors
    /// The last message is empty, or the template refuses the conversation.
    pub fn chat_tokens(&self, messages: &[Message]) -> Result<Vec<u32>> {
        if messages.last().is_none_or(|m| m.content.trim().is_empty()) {
            return Err(Error::BadPrompt { cause: "it is empty; type what the model should answer".into() });
        }
        // A token covers a bounded stretch of text: what is hopelessly long need not be tokenised to know.
        let bytes: usize = messages.iter().map(|m| m.content.len()).sum();
        if bytes / self.tokenizer.longest_token_bytes() > self.info.context {
            let least = bytes / self.tokenizer.longest_token_bytes();
            return Err(self.too_long(&format!("at least {least}")));
        }
        match &self.template {
            Some(template) => template.tokens(messages, &self.tokenizer),
            None => plain_prompt(messages, &self.tokenizer),
        }
    }

    /// Begins an answer. The part of the prompt that the cache holds already is kept and not read again.
    ///
    /// # Errors
    /// The prompt is empty or does not fit the context, or a setting is out of its range.
    pub fn start(&mut self, prompt: &[u32], request: &Request) -> Result<Generation> {
        if prompt.is_empty() {
            return Err(Error::BadPrompt { cause: "it is empty; type what the model should answer".into() });
        }
        if prompt.len() >= self.info.context {
            return Err(self.too_long(&prompt.len().to_string()));
        }
        if request.max_tokens == 0 {
            let (setting, value) = ("max tokens", "0".to_owned());
            return Err(Error::BadSetting { setting, value, range: "at least 1" });
        }
        let mut sampler = Sampler::new(request.sampling.clone(), self.config.vocabulary)?;
        for token in prompt {
            if *token as usize >= self.config.vocabulary {
                let cause = format!("token {token} is outside the vocabulary of {}", self.config.vocabulary);
                return Err(Error::BadPrompt { cause });
            }
            sampler.accept(*token);
        }
        // The last prompt token is read again even when cached: its logits choose the first token.
        let common = self.cached.iter().zip(prompt).take_while(|(a, b)| a == b).count();
        let reused = common.min(prompt.len() - 1);
        self.cached.truncate(reused);
        Ok(Generation {
            prompt: prompt.to_vec(),
            prompt_tokens: prompt.len(),
            on_device: matches!(&self.backend, Running::Gpu(gpu) if gpu.can_choose(&request.sampling)),
            answer: Vec::new(),
            reused,
            read: reused,
            tokens: 0,
            max_tokens: request.max_tokens,
            sampler,
            stream: TextStream::default(),
            stop: StopStrings::new(&request.stop),
            pending: None,
            finished: None,
        })
    }

    fn too_long(&self, tokens: &str) -> Error {
        let context = self.info.context;
        let cause = format!(
            "it has {tokens} tokens and the context holds {context}, answer included; shorten it or load the model with a larger context"
        );
        Error::BadPrompt { cause }
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
            (Err(error), Running::Gpu(_)) => {
                self.move_to_cpu(&error)?;
                generation.restart();
                Ok(Step::Moved { report: self.report.clone() })
            }
            (stepped, _) => stepped,
        }
    }

    /// Reads one piece of the prompt.
    async fn prefill(&mut self, generation: &mut Generation) -> Result<Step> {
        let (start, total) = (generation.read, generation.prompt.len());
        let end = total.min(start + self.backend.max_batch());
        let tokens = &generation.prompt[start..end];
        match &mut self.backend {
            Running::Gpu(gpu) if generation.on_device => {
                if end == total {
                    let left = generation.max_tokens - generation.tokens;
                    gpu.begin(&generation.sampler, left).await?;
                    gpu.embed(tokens, start);
                    layers(gpu.as_mut(), self.config.layers);
                    gpu.choose_first(end)?;
                } else {
                    forward(gpu.as_mut(), &self.config, tokens, start, 0, &mut self.logits).await?;
                }
                self.cached.extend_from_slice(tokens);
            }
            _ => self.advance(tokens, usize::from(end == total)).await?,
        }
        generation.read = end;
        Ok(Step::Prefill { done: end, total })
    }

    /// Reads the token chosen last, then chooses the next: a token is handed out before it is read.
    async fn next_token(&mut self, generation: &mut Generation) -> Result<Step> {
        let id = match &mut self.backend {
            Running::Gpu(gpu) if generation.on_device => {
                let id = gpu.next(self.clock).await?;
                // The device has read the one before already, and perhaps more that may never be asked for.
                self.cached.extend(generation.pending.take());
                generation.sampler.accept_chosen(id);
                id
            }
            _ => {
                if let Some(pending) = generation.pending.take() {
                    self.advance(&[pending], 1).await?;
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
            generation.finished = Some(FinishReason::Budget);
        } else if self.cached.len() == self.info.context {
            generation.finished = Some(FinishReason::ContextFull);
        } else {
            generation.pending = Some(id);
        }
        Step::Token { id, text }
    }

    /// Leaves the GPU: reads the weights once more, for the processor. No token is lost.
    fn move_to_cpu(&mut self, error: &Error) -> Result<()> {
        self.cached.clear();
        let context = self.info.context;
        let cpu = Cpu::load(&mut self.gguf, &self.config, context, &self.processor, &mut |_| {})?;
        self.backend = Running::Cpu(Box::new(cpu));
        let reason = format!("the GPU failed ({error}), so the processor went on from the same tokens");
        self.report = Report { adapter: self.report.adapter.take(), ..Report::cpu(reason) };
        Ok(())
    }

    /// Reads `tokens` after what the cache holds; logits of the last `want` of them.
    async fn advance(&mut self, tokens: &[u32], want: usize) -> Result<()> {
        let (position, out) = (self.cached.len(), &mut self.logits);
        match &mut self.backend {
            Running::Cpu(cpu) => forward(cpu.as_mut(), &self.config, tokens, position, want, out).await?,
            Running::Gpu(gpu) => forward(gpu.as_mut(), &self.config, tokens, position, want, out).await?,
        }
        self.cached.extend_from_slice(tokens);
        Ok(())
    }

    /// Logits at every position of `tokens`, read into an emptied cache: `each(position, logits)`.
    ///
    /// # Errors
    /// More tokens than the context holds; the backend's.
    pub async fn logits(&mut self, tokens: &[u32], each: &mut dyn FnMut(usize, &[f32])) -> Result<()> {
        if tokens.len() > self.info.context {
            return Err(self.too_long(&tokens.len().to_string()));
        }
        self.cached.clear();
        for batch in tokens.chunks(self.backend.max_batch()) {
            let start = self.cached.len();
            self.advance(batch, batch.len()).await?;
            for (row, logits) in self.logits.chunks_exact(self.config.vocabulary).enumerate() {
                each(start + row, logits);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
