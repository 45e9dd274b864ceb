//! A loaded model and the tokens that its backend's cache holds.

use std::io::{Read, Seek};
use std::sync::Arc;

use protocol::ChatFormat;

use crate::block_on;
use crate::cpu::{Cpu, Pool, Processor, check_room};
use crate::error::{Error, Result};
use crate::gguf::{Gguf, ReadSeek};
use crate::gpu::Device;
use crate::info::Info;
use crate::model::{Plan, Precision, Token};
use crate::select::{Active, BackendSelection, LoadOptions, Preference, Progress, Report};
use crate::tokenizer::{ChatTemplate, Message, Prompt, Specials, Tokenizer, plain_prompt};

/// The GPU is checked with it; models know how such a text goes on.
const CHECK_TEXT: &str = "The harbour was quiet in the early morning, and the boats lay still on the grey water. \
                          The fishermen had gone home to sleep.";

/// Tokens of it that are used: one more than the first batch has.
const CHECK_TOKENS: usize = 18;

/// A model that is ready, and the tokens its backend's cache holds.
pub struct Engine {
    pub(crate) info: Info,
    pub(crate) plan: Arc<Plan>,
    pub(super) tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
    processor: Processor,
    pub(crate) backend: Active,
    pub(crate) clock: fn() -> f64,
    room: fn(u64) -> u64,
    report: Report,
    /// Stays open: another backend may have to read the weights.
    gguf: Gguf<Box<dyn ReadSeek>>,
    /// Precision of what the model did not say itself.
    pub(crate) reading: Precision,
    /// The tokens in the cache, position by position, and how they were read. Losing the cache loses no conversation:
    /// any backend can be refilled from the tokens.
    pub(crate) cached: Vec<Token>,
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
        let plan = Arc::new(Plan::of(&gguf, options.context)?);
        let context = options.context.clamp(1, plan.spec.context);
        let tokenizer = Tokenizer::from_gguf(&mut gguf)?;
        let template = ChatTemplate::from_gguf(gguf.metadata(), &tokenizer)?;
        let chat = template.as_ref().map_or_else(ChatFormat::plain, |template| template.format().clone());
        let info = Info::new(&gguf, &plan.spec, context, chat)?;
        let words = tokenizer.encode(CHECK_TEXT, Specials::AsText)?;
        let tokens = words.into_iter().take(context.min(CHECK_TOKENS)).collect();
        let processor = Processor::detect(Arc::clone(&options.pool));
        let selection = BackendSelection {
            gguf: &mut gguf,
            plan: &plan,
            context,
            options,
            processor: &processor,
            tokens,
        };
        let (backend, report) = selection.choose(gpu, progress).await?;
        Ok(Self {
            info,
            tokenizer,
            template,
            processor,
            backend,
            clock: options.clock,
            room: options.room,
            report,
            gguf,
            reading: options.reading,
            cached: Vec::with_capacity(context),
            logits: Vec::with_capacity(plan.spec.vocabulary),
            plan,
        })
    }

    /// Loads a model onto the processor, all at once, telling nobody.
    ///
    /// # Errors
    /// As [`Engine::load`].
    pub fn on_cpu<R: Read + Seek + 'static>(
        gguf: Gguf<R>,
        context: usize,
        reading: Precision,
    ) -> Result<Self> {
        let options = LoadOptions {
            context,
            backend: Preference::Cpu,
            reading,
            pool: Pool::alone(),
            clock: || 0.0,
            room: |bytes| bytes,
            remembered: None,
        };
        block_on(Self::load(gguf, &options, Err(String::new()), &mut |_| {}))
    }

    /// Which backend runs, and why.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Facts about the model.
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
        self.backend.name()
    }

    /// Tells the chat template what time it is: [`ChatTemplate::set_local_time`].
    pub fn set_local_time(&mut self, seconds: i64) {
        if let Some(template) = &mut self.template {
            template.set_local_time(seconds);
        }
    }

    /// Tells the chat template whether the model is to think first: [`ChatTemplate::set_thinking`].
    pub fn set_thinking(&mut self, thinking: Option<bool>) {
        if let Some(template) = &mut self.template {
            template.set_thinking(thinking);
        }
    }

    /// A conversation as the model was trained to read it: the file's chat template, then the tokenizer.
    /// No content of a message becomes a special token.
    ///
    /// # Errors
    /// The last message is empty, or the template refuses the conversation.
    pub fn chat_prompt(&self, messages: &[Message]) -> Result<Prompt> {
        if messages.last().is_none_or(|m| m.content.trim().is_empty()) {
            return Err(Error::BadPrompt { cause: "it is empty; type what the model should answer".into() });
        }
        // A token covers a bounded stretch of text: what is hopelessly long need not be tokenised to know.
        let bytes: usize = messages.iter().map(|m| m.content.len()).sum();
        if bytes / self.tokenizer.longest_token_bytes() > self.info.context {
            let least = bytes / self.tokenizer.longest_token_bytes();
            return Err(self.too_long(&format!("at least {least}")));
        }
        let ids = match &self.template {
            Some(template) => self.tokenizer.begun(template.tokens(messages, &self.tokenizer)?),
            None => plain_prompt(messages, &self.tokenizer)?,
        };
        Ok(Prompt::of(ids, messages, &self.tokenizer))
    }

    pub(super) fn too_long(&self, tokens: &str) -> Error {
        let context = self.info.context;
        let cause = format!(
            "it has {tokens} tokens and the context holds {context}, answer included; shorten it or load the model with a larger context"
        );
        Error::BadPrompt { cause }
    }

    /// Leaves the GPU: reads the weights once more, for the processor. No token is lost.
    pub(super) fn move_to_cpu(&mut self, error: &Error) -> Result<()> {
        self.cached.clear();
        let context = self.info.context;
        check_room(&self.gguf, &self.plan, context, self.room)?;
        let cpu = Cpu::load(&mut self.gguf, &self.plan, context, &self.processor, &mut |_| {})?;
        self.backend = Active::Cpu(Box::new(cpu));
        let reason = format!("the GPU failed ({error}), so the processor went on from the same tokens");
        self.report = Report { adapter: self.report.adapter.take(), ..Report::cpu(reason) };
        Ok(())
    }

    /// Reads `tokens` after what the cache holds; logits of the last `want` of them.
    pub(super) async fn advance(&mut self, tokens: &[Token], want: usize) -> Result<()> {
        self.backend.forward(tokens, self.cached.len(), want, &mut self.logits).await?;
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
        let tokens: Vec<Token> = tokens.iter().map(|id| Token { id: *id, precision: self.reading }).collect();
        for batch in tokens.chunks(self.backend.max_batch()) {
            let start = self.cached.len();
            self.advance(batch, batch.len()).await?;
            for (row, logits) in self.logits.chunks_exact(self.plan.spec.vocabulary).enumerate() {
                each(start + row, logits);
            }
        }
        Ok(())
    }
}
