//! Tokens chosen on the device: those on their way back, and where the next one goes.

use std::collections::VecDeque;

use crate::gpu::device::Device;
use crate::gpu::memory::Memory;
use crate::gpu::readback::Readback;
use crate::gpu::record::SLOTS;
use crate::sampler::Sampler;

/// Blocks of tokens on their way: one computes while the other's ids are fetched.
pub(in crate::gpu) const BLOCKS: usize = 2;

/// Most tokens a submit chooses: each takes two slots of the arena.
pub(in crate::gpu) const MOST_TOKENS: usize = (SLOTS / 2) as usize;

/// An answer's tokens on the device.
pub(in crate::gpu) struct DecodeQueue {
    pub(in crate::gpu) readbacks: Vec<Readback>,
    /// (which readback, tokens) of the blocks on their way, oldest first.
    pub(in crate::gpu) waiting: VecDeque<(usize, usize)>,
    /// Tokens that came back and were not yet asked for.
    pub(in crate::gpu) arrived: VecDeque<u32>,
    /// Where the token chosen last stands in the ring.
    pub(in crate::gpu) last: u32,
    /// Position at which it will be read.
    pub(in crate::gpu) position: usize,
    /// Tokens that may still be chosen.
    pub(in crate::gpu) left: usize,
    /// Draws for the tokens to come; runs ahead of the session's own.
    pub(in crate::gpu) sampler: Option<Sampler>,
    /// Tokens of the next block.
    pub(in crate::gpu) block: usize,
    /// When the last block came back, ms on the caller's clock.
    pub(in crate::gpu) came_ms: Option<f64>,
}

impl DecodeQueue {
    pub(in crate::gpu) fn new(device: &Device, memory: &mut Memory) -> Self {
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
