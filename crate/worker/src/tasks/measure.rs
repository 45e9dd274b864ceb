//! Measures how long answers take: many of them, one after the other, each from an empty cache.

use std::cell::{Cell, RefCell};

use engine::{Engine, Message, Request, Role, Sampling, Step};
use futures_channel::oneshot;
use latency::Ms;
use latency::interval::{Next, Stopping};
use latency::stats::{self, Series};
use protocol::{Asked, Ended, FromWorker, Measure, Measured, Moved, Sampled, Until};
use web_sys::AbortSignal;

use crate::clock::{now_ms, tick_ms};
use crate::errors::{Error, Result};
use crate::js;
use crate::messages::{self, yield_to_messages};

const MOST_PROMPTS: usize = 100;
const MOST_ANSWERS: u32 = 10_000;
const MOST_TOKENS: u32 = 8192;
const LONGEST_MS: f64 = 3_600_000.0;

/// Whether the visitor hides the page or pauses the measurement meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Visitor {
    hidden: Cell<bool>,
    /// Whether it was hidden at any time of the answer under way.
    was_hidden: Cell<bool>,
    paused: Cell<bool>,
    waiting: RefCell<Option<oneshot::Sender<()>>>,
}

impl Visitor {
    /// The tab went to the background or came back.
    pub(crate) fn hide(&self, hidden: bool) {
        self.hidden.set(hidden);
        self.was_hidden.set(self.was_hidden.get() || hidden);
    }

    /// Holds the measurement, or lets it go on.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.set(paused);
        if !paused {
            self.wake();
        }
    }

    /// Ends the waiting, so that an abort is seen.
    pub(crate) fn wake(&self) {
        if let Some(sender) = self.waiting.take() {
            sender.send(()).ok();
        }
    }

    /// Waits while it is paused; takes no time otherwise.
    async fn ready(&self, signal: &AbortSignal) {
        while self.paused.get() && !signal.aborted() {
            let (sender, receiver) = oneshot::channel();
            self.waiting.replace(Some(sender));
            receiver.await.ok();
        }
    }
}

/// Measures as asked, until it is enough or the signal is given. Answers measured before an error were posted.
pub(crate) async fn measure(
    engine: &mut Engine,
    asked: &Measure,
    visitor: &Visitor,
    signal: &AbortSignal,
) -> Result<Measured> {
    check(asked)?;
    visitor.pause(false);
    let tick_ms = tick_ms();
    let mut progress = Progress::new(asked);
    for (number, prompt) in (0..).zip((0..asked.prompts.len()).cycle()) {
        let waiting = now_ms();
        visitor.ready(signal).await;
        progress.paused_ms += now_ms() - waiting;
        let Some(answer) = answer(engine, &asked.prompts[prompt], visitor, signal).await? else {
            return Ok(Measured { ended: Ended::Aborted, tick_ms });
        };
        let sampled = Sampled {
            number,
            prompt: prompt as u32,
            warm_up: number < asked.warm_up,
            hidden: answer.hidden,
            prompt_tokens: answer.prompt_tokens,
            asked_ms: answer.asked_ms - progress.start_ms,
            arrivals_ms: answer.arrivals_ms,
            memory_bytes: answer.memory_bytes,
        };
        messages::post(&FromWorker::Sampled(sampled.clone()));
        if let Some(ended) = progress.after(&sampled) {
            return Ok(Measured { ended, tick_ms });
        }
    }
    Ok(Measured { ended: Ended::Spent, tick_ms })
}

fn check(asked: &Measure) -> Result<()> {
    let wrong = |cause: &str| Err(Error::Measure { cause: cause.to_owned() });
    if asked.prompts.is_empty() || asked.prompts.len() > MOST_PROMPTS {
        return wrong("it needs 1 to 100 prompts");
    }
    if !asked.prompts.iter().all(|prompt| (1..=MOST_TOKENS).contains(&prompt.max_tokens)) {
        return wrong("an answer has 1 to 8192 tokens");
    }
    let answers = |most: u32| (1..=MOST_ANSWERS).contains(&most) && asked.warm_up <= MOST_ANSWERS;
    let share = |share: f64| share > 0.0 && share < 1.0;
    match asked.until {
        Until::Answers { most } if !answers(most) => wrong("it needs 1 to 10000 answers"),
        Until::Narrow { most, fewest, .. } if !answers(most) || fewest > most => {
            wrong("it needs 1 to 10000 answers, and not more at least than at most")
        }
        Until::Narrow { percentile, width, .. } if !(share(percentile) && width > 0.0) => {
            wrong("a percentile lies between 0 and 100 %, and its interval is wider than nothing")
        }
        Until::Time { ms } if !(ms > 0.0 && ms <= LONGEST_MS) => wrong("it takes at most an hour"),
        _ => Ok(()),
    }
}

/// Whether it is enough.
struct Progress {
    until: Until,
    start_ms: f64,
    paused_ms: f64,
    counted: u32,
    left_out: u32,
    firsts: Series<stats::Measured>,
}

impl Progress {
    fn new(asked: &Measure) -> Self {
        let firsts = Series::new(stats::Measured);
        Self { until: asked.until, start_ms: now_ms(), paused_ms: 0.0, counted: 0, left_out: 0, firsts }
    }

    fn after(&mut self, sampled: &Sampled) -> Option<Ended> {
        if let Until::Time { ms } = self.until {
            return (now_ms() - self.start_ms - self.paused_ms >= ms).then_some(Ended::Spent);
        }
        if sampled.warm_up {
            return None;
        }
        match sampled.hidden {
            true => self.left_out += 1,
            false => {
                self.counted += 1;
                sampled.arrivals_ms.first().into_iter().for_each(|ms| self.firsts.record(Ms(*ms)));
            }
        }
        match self.until {
            // In a tab that stays hidden it would never be enough.
            Until::Answers { most } | Until::Narrow { most, .. }
                if self.counted >= most || self.left_out >= most =>
            {
                Some(Ended::Spent)
            }
            Until::Narrow { percentile, width, fewest, most, seed } if !sampled.hidden => {
                let rule = Stopping { percentile, width, fewest: fewest.into(), most: most.into() };
                matches!(rule.next(&self.firsts, seed), Next::Narrow(_)).then_some(Ended::Narrow)
            }
            _ => None,
        }
    }
}

/// One answer as it was measured.
struct Answer {
    hidden: bool,
    prompt_tokens: u32,
    /// When it was asked, ms since the Unix epoch.
    asked_ms: f64,
    /// When each token came, ms after that.
    arrivals_ms: Vec<f64>,
    memory_bytes: u64,
}

/// One answer; `None` if it was ended in the middle.
async fn answer(
    engine: &mut Engine,
    prompt: &Asked,
    visitor: &Visitor,
    signal: &AbortSignal,
) -> Result<Option<Answer>> {
    let messages = [Message { role: Role::User, content: prompt.text.clone() }];
    engine.set_thinking(None);
    let max_tokens = prompt.max_tokens as usize;
    let request = Request { sampling: Sampling::greedy(), max_tokens, stop: Vec::new() };
    let mut arrivals_ms = Vec::with_capacity(max_tokens);
    empty_cache(engine, &messages).await?;
    visitor.was_hidden.set(visitor.hidden.get());
    // A visitor waits for the tokenizer too.
    let asked_ms = now_ms();
    let tokens = engine.chat_prompt(&messages)?;
    let mut generation = engine.start(&tokens, &request)?;
    loop {
        yield_to_messages().await;
        if signal.aborted() {
            return Ok(None);
        }
        match engine.step(&mut generation).await? {
            Step::Prefill { .. } => {}
            Step::Token { .. } => arrivals_ms.push(now_ms() - asked_ms),
            Step::Moved { report } => {
                let cause = report.reason.clone();
                messages::post(&FromWorker::Moved(Moved { id: None, backend: report, at_ms: now_ms() }));
                return Err(Error::Moved { cause });
            }
            Step::Finished { .. } => break,
        }
    }
    Ok(Some(Answer {
        hidden: visitor.was_hidden.get(),
        prompt_tokens: tokens.ids().len() as u32,
        asked_ms,
        arrivals_ms,
        memory_bytes: js::memory_bytes() + engine.gpu_memory_bytes(),
    }))
}

/// Reads something else, so that nothing of the prompt is reused.
async fn empty_cache(engine: &mut Engine, messages: &[Message]) -> Result<()> {
    let other = engine.chat_prompt(messages)?;
    Ok(engine.logits(&other.ids()[..1], &mut |_, _| {}).await?)
}
