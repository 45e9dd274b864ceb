//! Tokens chosen on the device, several a submit, each fed to the next without coming back here.

use std::collections::VecDeque;

use super::backend::{CHUNK, Gpu};
use super::buffers::{MOST, RING};
use super::kernels::Kernel;
use super::memory::Memory;
use super::readback::Readback;
use super::record::{Batch, Choice, SLOTS};
use super::{Costs, Device};
use crate::error::{Error, Result};
use crate::model::layers;
use crate::sampler::{Sampler, Sampling};

/// Blocks of tokens on their way: one computes while the other's ids are fetched.
const BLOCKS: usize = 2;

/// Most tokens a submit chooses: each takes two slots of the arena.
pub(super) const MOST_TOKENS: usize = (SLOTS / 2) as usize;

/// What a submit should take, ms: Stop, and the text on screen, wait that long.
const BLOCK_MS: f64 = 40.0;

/// An answer's tokens on the device.
pub(super) struct Chain {
    readbacks: Vec<Readback>,
    /// (which readback, tokens) of the blocks on their way, oldest first.
    waiting: VecDeque<(usize, usize)>,
    /// Tokens that came back and were not yet asked for.
    arrived: VecDeque<u32>,
    /// Where the token chosen last stands in the ring.
    last: u32,
    /// Position at which it will be read.
    position: usize,
    /// Tokens that may still be chosen.
    left: usize,
    /// Draws for the tokens to come; runs ahead of the session's own.
    sampler: Option<Sampler>,
    block: usize,
    /// When the last block came back, ms on the caller's clock.
    came_ms: Option<f64>,
}

impl Chain {
    pub(super) fn new(device: &Device, memory: &mut Memory) -> Self {
        let readback = |_| Readback::new(device, memory, MOST_TOKENS as u64 * 4);
        Self {
            readbacks: (0..=BLOCKS).map(readback).collect(),
            waiting: VecDeque::with_capacity(BLOCKS),
            arrived: VecDeque::with_capacity(MOST_TOKENS),
            last: 0,
            position: 0,
            left: 0,
            sampler: None,
            block: 1,
            came_ms: None,
        }
    }
}

/// The sampler's settings as the kernels read them, with its next random number.
pub(super) fn choice(sampler: &mut Sampler) -> Choice {
    let draw = if sampler.settings().temperature > 0.0 { sampler.number() } else { 0.0 };
    let settings = sampler.settings();
    Choice {
        top_k: settings.top_k as u32,
        draw,
        sharpness: 1.0 / settings.temperature.max(1e-6),
        top_p: settings.top_p,
        min_p: settings.min_p,
        penalty: settings.repetition_penalty,
    }
}

impl Gpu {
    /// Whether tokens can be chosen on the device by these settings: a draw from more candidates than the kernel
    /// keeps needs the whole vocabulary here.
    pub(crate) fn can_choose(&self, sampling: &Sampling) -> bool {
        sampling.temperature == 0.0 || (1..=MOST).contains(&sampling.top_k)
    }

    /// Begins an answer of at most `left` tokens; `sampler` has seen the prompt.
    ///
    /// # Errors
    /// The device met an error in what is still on its way of the answer before.
    pub(crate) async fn begin(&mut self, sampler: &Sampler, left: usize) -> Result<()> {
        while let Some((index, _)) = self.chain.waiting.pop_front() {
            self.chain.readbacks[index].read(&self.device, 0, &mut |_| {}).await?;
        }
        let chain = &mut self.chain;
        chain.arrived.clear();
        (chain.last, chain.left, chain.came_ms) = (RING - 1, left, None);
        self.device.queue.write_buffer(&self.buffers.seen, 0, &sampler.seen_bits());
        chain.sampler = Some(sampler.clone());
        Ok(())
    }

    /// After the prompt's last batch was recorded: chooses the first token from its last row. `next` is the
    /// position of that token.
    ///
    /// # Errors
    /// The device met an error.
    pub(crate) fn choose_first(&mut self, next: usize) -> Result<()> {
        self.chain.position = next;
        self.chain.left = self.chain.left.saturating_sub(1);
        let row = self.batch.tokens - 1;
        let first = (self.chain.last + 1) % RING;
        self.record_choice(row, first);
        self.chain.last = first;
        self.fetch(first, 1)?;
        Ok(())
    }

    /// The next token. `now` is a monotonic clock, ms.
    ///
    /// # Errors
    /// The device met an error or was lost.
    pub(crate) async fn next(&mut self, now: fn() -> f64) -> Result<u32> {
        loop {
            if let Some(id) = self.chain.arrived.pop_front() {
                return self.sound(id);
            }
            while self.chain.waiting.len() < BLOCKS
                && self.chain.left > 0
                && self.chain.position < self.context
            {
                self.choose_block()?;
            }
            if self.chain.waiting.is_empty() {
                let cause = "more tokens were asked for than there is room for".to_owned();
                return Err(Error::Backend { op: "choosing on the GPU", cause });
            }
            self.receive(now).await?;
        }
    }

    /// An id that the device can have chosen from numbers.
    fn sound(&self, id: u32) -> Result<u32> {
        if (id as usize) < self.config.vocabulary {
            return Ok(id);
        }
        let cause = "no logit is a number any more".to_owned();
        Err(Error::Backend { op: "choosing on the GPU", cause })
    }

    /// Records and submits as many tokens as a block has.
    fn choose_block(&mut self) -> Result<()> {
        let room = (self.context - self.chain.position).min(self.chain.left);
        let count = self.chain.block.min(room);
        // Ids of a block lie side by side.
        let wraps = self.chain.last + 1 + count as u32 > RING;
        let first = if wraps { 0 } else { self.chain.last + 1 };
        for index in 0..count as u32 {
            let position = self.chain.position;
            let (read, write) = (self.chain.last, first + index);
            let splits = Self::splits(position, 1);
            self.embed_ids(Batch { position: position as u32, tokens: 1, read, splits, ..Batch::default() });
            let count = self.config.layers;
            layers(self, count);
            self.record_choice(0, write);
            self.chain.last = write;
            self.chain.position += 1;
        }
        self.chain.left -= count;
        let dispatches = self.fetch(first, count)?;
        let costs = &mut self.costs;
        *costs = Costs {
            tokens: costs.tokens + count as u64,
            dispatches: costs.dispatches + dispatches,
            passes: costs.passes + 1,
            submits: costs.submits + 1,
            readback_bytes: costs.readback_bytes + count as u64 * 4,
        };
        Ok(())
    }

    /// Head and choice for one row of the batch; the id goes to `write` in the ring.
    pub(super) fn record_choice(&mut self, row: u32, write: u32) {
        let (choice, greedy) = match &mut self.chain.sampler {
            Some(sampler) => (choice(sampler), sampler.settings().temperature == 0.0),
            None => (Choice { penalty: 1.0, ..Choice::default() }, true),
        };
        self.batch = Batch { write, choice, ..self.batch };
        self.head(row, 1);
        self.record_kernels(match greedy {
            true => (Kernel::ArgmaxChunk, Kernel::ArgmaxAll),
            false => (Kernel::BestOfChunk, Kernel::Draw),
        });
    }

    /// Chunks of the vocabulary, then all of them.
    pub(super) fn record_kernels(&mut self, (partial, all): (Kernel, Kernel)) {
        let chunks = self.config.vocabulary.div_ceil(CHUNK) as u32;
        let groups = [&self.buffers.choice];
        self.recorder.dispatch(&self.device, partial, &groups, [chunks, 1, 1]);
        self.recorder.dispatch(&self.device, all, &groups, [1, 1, 1]);
    }

    /// Submits what is recorded and asks for `count` ids from `first` on. Returns the dispatches.
    fn fetch(&mut self, first: u32, count: usize) -> Result<u64> {
        let free = self.chain.readbacks.iter().position(Readback::is_free);
        let index = free.unwrap_or_default();
        let readback = &mut self.chain.readbacks[index];
        let copy = (&self.buffers.ids, u64::from(first) * 4, &readback.buffer, count as u64 * 4);
        let dispatches = self.recorder.submit(&self.device, Some(copy))?;
        readback.ask();
        self.chain.waiting.push_back((index, count));
        Ok(dispatches)
    }

    /// Waits for the oldest block.
    async fn receive(&mut self, now: fn() -> f64) -> Result<()> {
        let Some((index, count)) = self.chain.waiting.pop_front() else { return Ok(()) };
        let arrived = &mut self.chain.arrived;
        let take = &mut |view: &[u8]| {
            let ids = view.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
            arrived.extend(ids);
        };
        self.chain.readbacks[index].read(&self.device, count as u64 * 4, take).await?;
        let came = now();
        if let Some(before) = self.chain.came_ms.replace(came) {
            let per_token = (came - before).max(0.01) / count as f64;
            self.chain.block = ((BLOCK_MS / per_token) as usize).clamp(1, MOST_TOKENS);
        }
        Ok(())
    }
}
