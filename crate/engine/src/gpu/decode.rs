//! Tokens chosen on the device, several a submit, each fed to the next without coming back here.

use super::geometry::{CANDIDATES, CHUNK, Choice};
use super::pipeline::kernel::Kernel;
use super::readback::{Readback, words_of};
use super::state::buffers::RING;
use super::state::gpu::Gpu;
use super::state::queue::{BLOCKS, MOST_TOKENS};
use crate::error::{Error, Result};
use crate::sampler::{Sampler, Sampling};

/// Aim of a submit's time, ms: Stop, and the text on screen, wait that long.
const BLOCK_MS: f64 = 40.0;

/// The sampler's settings as the kernels read them, with its next random number.
pub(super) fn choice(sampler: &mut Sampler) -> Choice {
    let draw = if sampler.settings().temperature > 0.0 { sampler.number() } else { 0.0 };
    let settings = sampler.settings();
    Choice {
        top_k: settings.top_k as u32,
        draw,
        inverse_temperature: 1.0 / settings.temperature.max(1e-6),
        top_p: settings.top_p,
        min_p: settings.min_p,
        penalty: settings.repetition_penalty,
    }
}

impl Gpu {
    /// Whether tokens can be chosen on the device by these settings: a draw from more candidates than the kernel
    /// keeps needs the whole vocabulary here.
    pub(crate) fn can_choose(&self, sampling: &Sampling) -> bool {
        sampling.temperature == 0.0 || (1..=CANDIDATES as usize).contains(&sampling.top_k)
    }

    /// Begins an answer of at most `left` tokens; `sampler` has seen the prompt.
    ///
    /// # Errors
    /// The device met an error in what is still on its way of the answer before.
    pub(crate) async fn begin_choosing(&mut self, sampler: &Sampler, left: usize) -> Result<()> {
        while let Some((index, _)) = self.queue.waiting.pop_front() {
            self.queue.readbacks[index].read(&self.device, 0, &mut |_| {}).await?;
        }
        let queue = &mut self.queue;
        queue.arrived.clear();
        queue.last = RING - 1;
        queue.left = left;
        queue.came_ms = None;
        self.device.queue.write_buffer(&self.buffers.seen, 0, &sampler.seen_bits());
        queue.sampler = Some(sampler.clone());
        Ok(())
    }

    /// After the prompt's last batch was recorded: chooses the first token from its last row. `next` is the
    /// position of that token.
    ///
    /// # Errors
    /// The device met an error.
    pub(crate) fn choose_first(&mut self, next: usize) -> Result<()> {
        self.queue.position = next;
        self.queue.left = self.queue.left.saturating_sub(1);
        let row = self.batch.tokens - 1;
        let first = (self.queue.last + 1) % RING;
        self.record_choice(row, first);
        self.queue.last = first;
        self.fetch(first, 1)?;
        Ok(())
    }

    /// The next token. `now` is a monotonic clock, ms.
    ///
    /// # Errors
    /// The device met an error or was lost.
    pub(crate) async fn next(&mut self, now: fn() -> f64) -> Result<u32> {
        loop {
            if let Some(id) = self.queue.arrived.pop_front() {
                return self.sound(id);
            }
            while self.queue.waiting.len() < BLOCKS
                && self.queue.left > 0
                && self.queue.position < self.context
            {
                self.choose_block()?;
            }
            if self.queue.waiting.is_empty() {
                let cause = "more tokens were asked for than there is room for".to_owned();
                return Err(Error::Backend { op: "choosing on the GPU", cause });
            }
            self.receive(now).await?;
        }
    }

    /// An id that the device can have chosen from numbers.
    fn sound(&self, id: u32) -> Result<u32> {
        if (id as usize) < self.plan.spec.vocabulary {
            return Ok(id);
        }
        let cause = "no logit is a number any more".to_owned();
        Err(Error::Backend { op: "choosing on the GPU", cause })
    }

    /// Records and submits as many tokens as a block has.
    fn choose_block(&mut self) -> Result<()> {
        let room = (self.context - self.queue.position).min(self.queue.left);
        let count = self.queue.block.min(room);
        // Ids of a block lie side by side.
        let wraps = self.queue.last + 1 + count as u32 > RING;
        let first = if wraps { 0 } else { self.queue.last + 1 };
        for index in 0..count as u32 {
            self.record_token(self.queue.position, self.queue.last);
            self.record_choice(0, first + index);
            self.queue.last = first + index;
            self.queue.position += 1;
        }
        self.queue.left -= count;
        let dispatches = self.fetch(first, count)?;
        self.counters.tokens += count as u64;
        self.counters.dispatches += dispatches;
        self.counters.passes += 1;
        self.counters.submits += 1;
        self.counters.readback_bytes += count as u64 * 4;
        Ok(())
    }

    /// Head and choice for one row of the batch; the id goes to `write` in the ring.
    pub(super) fn record_choice(&mut self, row: u32, write: u32) {
        let (choice, greedy) = match &mut self.queue.sampler {
            Some(sampler) => (choice(sampler), sampler.settings().temperature == 0.0),
            None => (Choice { penalty: 1.0, ..Choice::default() }, true),
        };
        self.batch.write = write;
        self.batch.choice = choice;
        self.head(row, 1);
        self.record_kernels(match greedy {
            true => (Kernel::ArgmaxChunk, Kernel::ArgmaxAll),
            false => (Kernel::BestOfChunk, Kernel::Draw),
        });
    }

    /// Chunks of the vocabulary, then all of them.
    pub(super) fn record_kernels(&mut self, (partial, all): (Kernel, Kernel)) {
        let chunks = self.plan.spec.vocabulary.div_ceil(CHUNK as usize) as u32;
        let groups = [&self.buffers.choice];
        self.recorder.dispatch(&self.device, partial, &groups, [chunks, 1, 1]);
        self.recorder.dispatch(&self.device, all, &groups, [1, 1, 1]);
    }

    /// Submits what is recorded and asks for `count` ids from `first` on. Returns the dispatches.
    fn fetch(&mut self, first: u32, count: usize) -> Result<u64> {
        let free = self.queue.readbacks.iter().position(Readback::is_free);
        let index = free.unwrap_or_default();
        let readback = &mut self.queue.readbacks[index];
        let copy = (&self.buffers.ids, u64::from(first) * 4, &readback.buffer, count as u64 * 4);
        let dispatches = self.recorder.submit(&self.device, Some(copy))?;
        readback.ask();
        self.queue.waiting.push_back((index, count));
        Ok(dispatches)
    }

    /// Waits for the oldest block.
    async fn receive(&mut self, now: fn() -> f64) -> Result<()> {
        let Some((index, count)) = self.queue.waiting.pop_front() else { return Ok(()) };
        let arrived = &mut self.queue.arrived;
        let take = &mut |view: &[u8]| arrived.extend(words_of(view));
        self.queue.readbacks[index].read(&self.device, count as u64 * 4, take).await?;
        let came = now();
        if let Some(before) = self.queue.came_ms.replace(came) {
            let per_token = (came - before).max(0.01) / count as f64;
            self.queue.block = ((BLOCK_MS / per_token) as usize).clamp(1, MOST_TOKENS);
        }
        Ok(())
    }
}
