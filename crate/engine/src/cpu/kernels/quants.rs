//! Rows of floats as integers of fourteen bits and one scale a row: queries, keys, values and their weights.
//!
//! As for [`QuantizedActivations`](super::activations::QuantizedActivations): products of such integers are exact and
//! alike on every instruction set, eight to an instruction, where halves would first be widened to four floats a
//! vector. Against halves the error is about the same: at most 1/16,382 of a row's largest element instead of 1/2,048 of each.

use super::layout::LARGEST;

/// Lanes of what is reduced; a fixed count keeps results equal on every instruction set.
pub(in crate::cpu) const LANES: usize = 8;

/// Rows, each `x ≈ scale · q` with q in −8191..=8191.
#[derive(Clone, Copy)]
pub struct Quants<'a> {
    /// The quants of all rows, in the order that their user wants.
    pub quants: &'a [i16],
    /// One a row.
    pub scales: &'a [f32],
}

/// Hands every quant of `row` to `put`, with its index, and gives the row's scale.
#[inline(always)]
pub fn quantize_row(row: &[f32], mut put: impl FnMut(usize, i16)) -> f32 {
    /// Adding 1.5 · 2^23 rounds to the nearest integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let peak = reduce(row, 0.0, |peak, v| if v.abs() > peak { v.abs() } else { peak });
    let inverse = if peak > 0.0 { LARGEST / peak } else { 0.0 };
    let quant = |v: f32| (v * inverse + ROUND).to_bits() as i16;
    let (blocks, rest) = row.as_chunks::<LANES>();
    for (index, block) in blocks.iter().enumerate() {
        let quants = block.map(quant);
        quants.into_iter().enumerate().for_each(|(lane, q)| put(index * LANES + lane, q));
    }
    rest.iter().enumerate().for_each(|(lane, v)| put(blocks.len() * LANES + lane, quant(*v)));
    peak / LARGEST
}

/// All of `values` put together by `with`, eight lanes at a time, from `start` in each lane.
#[inline(always)]
pub(in crate::cpu) fn reduce(values: &[f32], start: f32, with: impl Fn(f32, f32) -> f32) -> f32 {
    let (blocks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for block in blocks {
        lanes.iter_mut().zip(block).for_each(|(lane, v)| *lane = with(*lane, *v));
    }
    lanes.iter_mut().zip(rest).for_each(|(lane, v)| *lane = with(*lane, *v));
    lanes.into_iter().fold(start, with)
}
