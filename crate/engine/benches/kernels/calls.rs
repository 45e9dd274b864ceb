//! The only calls into the engine here, so that a changed signature changes one file.

use engine::Precision;
use engine::cpu::kernels::layout::{KEYS, SPAN, key_place, value_place};
use engine::cpu::kernels::portable;
use engine::cpu::kernels::span::{self, Cached, Partial, Scratch};
use engine::cpu::{DisjointSlices, Kernels, QuantizedActivations, Quants, quantize_row};
use engine::format::{self, GROUP, Packed, Q4_1, Q8_0, Tile4, Tile8};

/// Weights of one matrix, packed.
pub(crate) enum Weights {
    Q4(Packed<Tile4>),
    Q8(Packed<Tile8>),
}

impl Weights {
    /// (rows, cols) from Q4_1 blocks.
    pub(crate) fn q4(raw: &[u8], rows: usize, cols: usize) -> Self {
        Self::Q4(packed::<Q4_1>(raw, rows, cols))
    }

    /// (rows, cols) from Q8_0 blocks.
    pub(crate) fn q8(raw: &[u8], rows: usize, cols: usize) -> Self {
        Self::Q8(packed::<Q8_0>(raw, rows, cols))
    }
}

fn packed<B: format::Quantized>(raw: &[u8], rows: usize, cols: usize) -> Packed<B::Tile> {
    let mut packed = Packed::with_capacity(rows, cols);
    raw.chunks(GROUP * cols / B::WIDTH * B::BYTES)
        .for_each(|group| assert!(packed.push_group::<B>(group), "scales are halves"));
    packed
}

pub(crate) fn room(rows: usize, cols: usize) -> QuantizedActivations {
    QuantizedActivations::with_capacity(rows, cols)
}

pub(crate) fn quantize(kernels: &Kernels, x: &[f32], out: &mut QuantizedActivations) {
    (kernels.quantize)(x, Precision::Fourteen, out.rows_mut());
}

/// `y = W·x` for `tokens` rows of `x`.
pub(crate) fn product(
    kernels: &Kernels,
    w: &Weights,
    x: &QuantizedActivations,
    y: &mut [f32],
    tokens: usize,
) {
    let x = x.rows();
    let y = &DisjointSlices::of(y);
    // SAFETY: this thread alone writes.
    unsafe {
        match w {
            Weights::Q4(w) => (kernels.products.q4)(w, x, y, tokens, 0..w.groups()),
            Weights::Q8(w) => (kernels.products.q8)(w, x, y, tokens, 0..w.groups()),
        }
    }
}

/// Keys and values of one head as the cache holds them, for the query heads that share it.
pub(crate) struct SharedHead {
    dim: usize,
    q: Quantized,
    keys: Quantized,
    values: Quantized,
    scores: Vec<f32>,
    weights: Vec<i16>,
    partials: [Vec<f32>; 2],
}

/// Quants and scales.
type Quantized = (Vec<i16>, Vec<f32>);

/// `rows` of `dim`, each quant at the place that `at` gives for its row and column; whole blocks of [`KEYS`] rows.
fn quantized(rows: &[f32], dim: usize, at: impl Fn(usize, usize) -> usize) -> Quantized {
    let mut quants = vec![0; (rows.len() / dim).next_multiple_of(KEYS) * dim];
    let rows = rows.chunks_exact(dim).enumerate();
    let scales = rows.map(|(row, values)| quantize_row(values, |d, q| quants[at(row, d)] = q)).collect();
    (quants, scales)
}

fn spans((quants, scales): &Quantized, dim: usize) -> impl Iterator<Item = Quants<'_>> {
    let spans = quants.chunks(SPAN * dim).zip(scales.chunks(SPAN));
    spans.map(|(quants, scales)| Quants { quants, scales })
}

impl SharedHead {
    /// q: (heads, dim), scaled; keys, values: (positions, dim), an even number of positions.
    pub(crate) fn new(q: &[f32], keys: &[f32], values: &[f32], dim: usize) -> Self {
        let heads = q.len() / dim;
        Self {
            dim,
            q: quantized(q, dim, |head, d| head * dim + d),
            keys: quantized(keys, dim, |p, d| key_place(dim, p, d)),
            values: quantized(values, dim, |p, d| value_place(dim, p, d)),
            scores: vec![0.0; heads * SPAN],
            weights: vec![0; heads * SPAN],
            partials: [(); 2].map(|()| vec![0.0; Partial::len(heads, dim)]),
        }
    }

    /// To `out`, (heads, dim).
    pub(crate) fn run(&mut self, kernels: &Kernels, out: &mut [f32]) {
        let Self { dim, q, keys, values, scores, weights, partials: [total, next] } = self;
        let heads = q.1.len();
        let q = Quants { quants: &q.0[..heads * *dim], scales: &q.1 };
        let mut total = Partial::of(total, heads);
        let mut next = Partial::of(next, heads);
        let mut scratch = Scratch { scores, weights };
        for (index, (keys, values)) in spans(keys, *dim).zip(spans(values, *dim)).enumerate() {
            let out = if index == 0 { &mut total } else { &mut next };
            span::attend(kernels, q, &Cached { keys, values }, 0, &mut scratch, out);
            if index > 0 {
                total.merge(&next);
            }
        }
        total.finish(out);
    }
}

pub(crate) use portable::{rms_norm, rotate, swiglu};
