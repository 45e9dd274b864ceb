//! Attention over one span of positions, around the two products of an instruction set, and spans put together.

use super::dispatch::Kernels;
use super::layout::{HEADS, SPAN};
use super::portable::exp;
use super::quants::{Quants, quantize_row, reduce};

/// One head's keys and values at up to [`SPAN`] positions.
#[derive(Clone, Copy)]
pub struct Cached<'a> {
    /// Quants (positions / 8, dim / 2, 8, 2).
    pub keys: Quants<'a>,
    /// Quants (positions / 2, dim, 2).
    pub values: Quants<'a>,
}

/// Attention of the query heads that share one key-value head over up to [`SPAN`] positions, not yet divided: for each
/// head its largest score, Σ e^(score − largest), and Σ e^(score − largest) · value.
pub struct Partial<'a> {
    /// (heads,)
    pub peaks: &'a mut [f32],
    /// (heads,)
    pub sums: &'a mut [f32],
    /// (heads, dim)
    pub values: &'a mut [f32],
}

impl<'a> Partial<'a> {
    /// Floats that `heads` of `dim` take.
    pub fn len(heads: usize, dim: usize) -> usize {
        heads * (dim + 2)
    }

    /// In a buffer of [`Partial::len`] floats.
    pub fn of(buffer: &'a mut [f32], heads: usize) -> Self {
        let (peaks, rest) = buffer.split_at_mut(heads);
        let (sums, values) = rest.split_at_mut(heads);
        Self { peaks, sums, values }
    }

    /// Over the positions of `next` as well.
    pub fn merge(&mut self, next: &Partial) {
        let dim = self.values.len() / self.peaks.len();
        let values = self.values.chunks_exact_mut(dim).zip(next.values.chunks_exact(dim));
        for (head, (ours, theirs)) in values.enumerate() {
            let peak = self.peaks[head].max(next.peaks[head]);
            let old = exp(self.peaks[head] - peak);
            let new = exp(next.peaks[head] - peak);
            self.peaks[head] = peak;
            self.sums[head] = self.sums[head] * old + next.sums[head] * new;
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                *ours = *ours * old + theirs * new;
            }
        }
    }

    /// The weighted mean of the values, (heads, dim).
    pub fn finish(&self, out: &mut [f32]) {
        let dim = self.values.len() / self.peaks.len();
        let rows = out.chunks_exact_mut(dim).zip(self.values.chunks_exact(dim));
        for ((out, values), sum) in rows.zip(self.sums.iter()) {
            let inverse = 1.0 / sum;
            out.iter_mut().zip(values).for_each(|(out, v)| *out = v * inverse);
        }
    }
}

/// Buffers that [`attend`] works in.
pub struct Scratch<'a> {
    /// (heads, SPAN)
    pub scores: &'a mut [f32],
    /// (heads, SPAN)
    pub weights: &'a mut [i16],
}

/// Attention over up to [`SPAN`] positions without the first `unseen` of them, which are fewer than all; see
/// [`super::reference::attend`]. q: (heads, dim), already scaled.
pub fn attend(
    kernels: &Kernels,
    q: Quants,
    cached: &Cached,
    unseen: usize,
    scratch: &mut Scratch,
    out: &mut Partial,
) {
    let dim = q.quants.len() / q.scales.len();
    let Scratch { scores, weights } = scratch;
    for first in (0..q.scales.len()).step_by(HEADS) {
        let heads = first..q.scales.len().min(first + HEADS);
        let cells = heads.start * dim..heads.end * dim;
        let spans = heads.start * SPAN..heads.end * SPAN;
        let scores = &mut scores[spans.clone()];
        let weights = &mut weights[spans];
        (kernels.qk)(&q.quants[cells.clone()], cached.keys.quants, dim, scores);
        let mut scales = [0.0; HEADS];
        for (index, head) in heads.enumerate() {
            let scores = &mut scores[index * SPAN..][..SPAN];
            let weights = &mut weights[index * SPAN..][..SPAN];
            let softened = soften(scores, q.scales[head], cached, unseen, weights);
            (out.peaks[head], out.sums[head], scales[index]) = softened;
        }
        let out = &mut out.values[cells];
        (kernels.pv)(weights, cached.values.quants, dim, out);
        for (out, scale) in out.chunks_exact_mut(dim).zip(scales) {
            out.iter_mut().for_each(|v| *v *= scale);
        }
    }
}

/// One head's largest score and Σ e^(score − largest), from `scores` that lack the scales of the query and the keys.
/// `weights` become e^(score − largest) times the scale of the position's values, quantised; their scale comes last.
fn soften(
    scores: &mut [f32],
    query: f32,
    cached: &Cached,
    unseen: usize,
    weights: &mut [i16],
) -> (f32, f32, f32) {
    let scores = &mut scores[..cached.keys.scales.len()];
    for (score, key) in scores.iter_mut().zip(cached.keys.scales) {
        *score *= query * key;
    }
    scores[..unseen].fill(f32::NEG_INFINITY);
    let peak = reduce(scores, f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
    scores.iter_mut().for_each(|score| *score = exp(*score - peak));
    // e^x ends at a small number, not at 0.
    scores[..unseen].fill(0.0);
    let sum = reduce(scores, 0.0, |a, b| a + b);
    for (score, value) in scores.iter_mut().zip(cached.values.scales) {
        *score *= value;
    }
    // A last position without a partner has whatever was there before beside it.
    weights[scores.len()..].fill(0);
    let scale = quantize_row(scores, |position, weight| weights[position] = weight);
    (peak, sum, scale)
}
