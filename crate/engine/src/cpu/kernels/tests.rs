//! Every kernel of this target against its scalar reference, over random shapes.

use super::activations::{BlockFactors, QuantizedActivations, QuantizedRows};
use super::dispatch::{self, Kernels, Multiplied};
use super::layout::{ACTIVATION_BLOCK, KEYS, SPAN, key_place, pair_place, value_place};
use super::quants::{Quants, quantize_row};
use super::span::{self, Cached, Partial, Scratch};
use super::{portable, reference};
use crate::cpu::pool::DisjointSlices;
use crate::cpu::products::Quantizer;
use crate::format::fixture::random_rows;
use crate::format::{
    Format, GROUP, IQ4_NL, IQ4_XS, Packed, Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0,
    Quantized, f16_to_f32, f32_to_f16,
};
use crate::model::Precision;

/// Sums of a row in another order: the products themselves are exact integers. Relative to the sum of their
/// sizes; measured 3e-7 over 2,000 shapes.
const REORDERED: f32 = 2e-6;

/// `portable::exp` against the platform's: a polynomial, measured 2.1e-7 relative; squared up by what
/// divides by it.
const EXP: f32 = 1e-6;

/// Attention with keys, values, queries and weights of fourteen bits against exact attention, over the largest value;
/// measured 2.1e-4 over 2,000 shapes.
const FOURTEEN_BITS: f32 = 4e-4;

/// Sums of a tile's products and of what its minimum takes away again, over the row's sum of sizes.
const CANCELLED: f32 = 1e-5;

#[derive(Clone, Copy, Debug)]
struct Case {
    rows: usize,
    cols: usize,
    tokens: usize,
    seed: u64,
}

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn unit(&mut self) -> f32 {
        self.next() as f32 / (1u64 << 31) as f32
    }

    fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| (self.unit() - 0.5) * 8.0).collect()
    }
}

/// Precisions of a batch's tokens, over and over: the model speaks, it reads, it reads what it and others said.
const PRECISIONS: [&[Precision]; 3] =
    [&[Precision::Fourteen], &[Precision::Eight], &[Precision::Eight, Precision::Fourteen]];

fn quantized(kernels: &'static Kernels, x: &[f32], case: &Case, of: &[Precision]) -> QuantizedActivations {
    let mut out = QuantizedActivations::with_capacity(case.tokens, case.cols);
    let precisions: Vec<Precision> = of.iter().copied().cycle().take(case.tokens).collect();
    let quantizer = Quantizer::new(kernels, &mut out, case.cols, &precisions);
    for (token, x) in x.chunks_exact(case.cols).enumerate() {
        // SAFETY: this thread alone writes.
        unsafe { quantizer.row(token, x) };
    }
    out
}

/// A matrix of random blocks, with scales within ±0.1.
fn packed<B: Quantized>(case: &Case, format: Format) -> Packed<B::Tile> {
    let raw = random_rows(format, case.rows, case.cols, 0.1, case.seed);
    let mut packed = Packed::with_capacity(case.rows, case.cols);
    for group in raw.chunks(GROUP * case.cols / B::WIDTH * B::BYTES) {
        assert!(packed.push_group::<B>(group));
    }
    packed
}

fn assert_close(got: &[f32], want: &[f32], sizes: &[f32], tolerance: f32) {
    for (i, ((got, want), size)) in got.iter().zip(want).zip(sizes).enumerate() {
        assert!((got - want).abs() <= tolerance * size.max(1e-6), "{i}: {got} is not {want} (size {size})");
    }
}

/// Quants in natural order, from where the scalar reference and most kernels put them.
fn in_pairs(rows: &QuantizedRows) -> Vec<i16> {
    (0..rows.quants.len()).map(|index| rows.quants[pair_place(index)]).collect()
}

#[cfg(not(all(target_arch = "wasm32", feature = "relaxed-simd")))]
use in_pairs as in_order;

/// The same, from a block's high bytes and the low ones after them, or from its bytes alone.
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
fn in_order(rows: &QuantizedRows) -> Vec<i16> {
    let quants = rows.quants;
    let bytes: Vec<i8> = quants.iter().flat_map(|pair| pair.to_le_bytes()).map(|byte| byte as i8).collect();
    let joined = |(high, low): (&i8, &i8)| i16::from(*high) * 128 + i16::from(*low);
    if rows.bytes {
        // Each row's bytes stand in its first half.
        let row = 2 * ACTIVATION_BLOCK * rows.blocks;
        return bytes
            .chunks_exact(row)
            .flat_map(|row| &row[..row.len() / 2])
            .map(|q| i16::from(*q))
            .collect();
    }
    let block = |block: &[i8]| {
        block[..ACTIVATION_BLOCK].iter().zip(&block[ACTIVATION_BLOCK..]).map(joined).collect::<Vec<_>>()
    };
    bytes.chunks_exact(2 * ACTIVATION_BLOCK).flat_map(block).collect()
}

fn check_quantize(case: &Case) {
    let x = Noise(case.seed).floats(case.tokens * case.cols);
    for precisions in PRECISIONS {
        let got = quantized(dispatch::detect(), &x, case, precisions);
        let want = quantized(&dispatch::REFERENCE, &x, case, precisions);
        let got = got.rows();
        let want = want.rows();
        assert_eq!(in_order(&got), in_pairs(&want));
        assert_eq!(got.factors, want.factors);
    }
}

/// Products of this instruction set give the bits of their references: the same operations in the same order.
fn check_product<B: Quantized<Tile: Multiplied>>(case: &Case, format: Format) {
    let case = &Case { cols: case.cols.next_multiple_of(B::WIDTH), ..*case };
    let w = packed::<B>(case, format);
    let x = Noise(case.seed ^ 1).floats(case.tokens * case.cols);
    let run = |kernels: &'static Kernels, precisions| {
        let mut y = vec![f32::NAN; case.tokens * case.rows];
        let x = quantized(kernels, &x, case, precisions);
        let product = <B::Tile as Multiplied>::product(&kernels.products);
        // SAFETY: this thread alone writes.
        unsafe { product(&w, x.rows(), &DisjointSlices::of(&mut y), case.tokens, 0..w.groups()) };
        y
    };
    for precisions in PRECISIONS {
        let want = run(&dispatch::REFERENCE, precisions);
        assert_eq!(run(dispatch::detect(), precisions), want, "{format} {precisions:?}");
        check_against_exact(case, &w, &x, &want, precisions, format);
    }
}

/// The scalar reference against dequantised weights in f64: what quantised activations cost, an error of at most
/// half a step (1/16,382 or 1/254 of a block's peak) an element.
fn check_against_exact<T: Multiplied>(
    case: &Case,
    w: &Packed<T>,
    x: &[f32],
    y: &[f32],
    precisions: &[Precision],
    format: Format,
) {
    let mut weights = vec![0.0; case.cols];
    for r in 0..case.rows {
        w.dequantize_row(r, &mut weights);
        let reach: f32 = weights.iter().map(|w| w.abs()).sum();
        for (t, x) in x.chunks_exact(case.cols).enumerate() {
            let exact: f64 = weights.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
            let error = (f64::from(y[t * case.rows + r]) - exact).abs() as f32;
            let step = match precisions[t % precisions.len()] {
                Precision::Eight => 1.0 / 254.0,
                Precision::Fourteen => 1.0 / 16_382.0,
            };
            assert!(
                error <= reach * 4.0 * (step + CANCELLED),
                "{format}, row {r}: off by {error}, reach {reach}"
            );
        }
    }
}

/// Rows of `dim`, quantised, each quant at the place that `at` gives for its row and column; room for `room` rows.
fn rows_at(
    rows: &[f32],
    dim: usize,
    room: usize,
    at: impl Fn(usize, usize) -> usize,
) -> (Vec<i16>, Vec<f32>) {
    // Places that no row fills hold what was there before.
    let mut quants = vec![77; room * dim];
    let rows = rows.chunks_exact(dim).enumerate();
    let scales = rows.map(|(row, values)| quantize_row(values, |d, q| quants[at(row, d)] = q)).collect();
    (quants, scales)
}

/// Keys and values (positions, dim) as the cache holds them.
fn cached(keys: &[f32], values: &[f32], dim: usize) -> [(Vec<i16>, Vec<f32>); 2] {
    let positions = keys.len() / dim;
    let keys = rows_at(keys, dim, positions.next_multiple_of(KEYS), |p, d| key_place(dim, p, d));
    [keys, rows_at(values, dim, positions.next_multiple_of(2), |p, d| value_place(dim, p, d))]
}

fn spans((quants, scales): &(Vec<i16>, Vec<f32>), dim: usize) -> impl Iterator<Item = Quants<'_>> {
    let spans = quants.chunks(SPAN * dim).zip(scales.chunks(SPAN));
    spans.map(|(quants, scales)| Quants { quants, scales })
}

/// All heads over all positions, a span at a time.
fn attended(
    kernels: &Kernels,
    q: Quants,
    [keys, values]: &[(Vec<i16>, Vec<f32>); 2],
    dim: usize,
) -> Vec<f32> {
    let heads = q.scales.len();
    let mut out = vec![0.0; heads * dim];
    let mut scratch = Scratch { scores: &mut vec![0.0; heads * SPAN], weights: &mut vec![0; heads * SPAN] };
    let mut partials = [(); 2].map(|()| vec![0.0; Partial::len(heads, dim)]);
    let [mut total, mut next] = partials.each_mut().map(|partial| Partial::of(partial, heads));
    for (index, (keys, values)) in spans(keys, dim).zip(spans(values, dim)).enumerate() {
        let cached = Cached { keys, values };
        let out = if index == 0 { &mut total } else { &mut next };
        span::attend(kernels, q, &cached, 0, &mut scratch, out);
        if index > 0 {
            total.merge(&next);
        }
    }
    total.finish(&mut out);
    out
}

/// Kernels give the bits of their references; both lie within what fourteen bits cost of exact attention.
fn check_attend(case: &Case) {
    let heads = 1 + case.rows % 9;
    let positions = case.tokens * 17;
    let dim = case.cols;
    let mut noise = Noise(case.seed);
    let q: Vec<f32> = noise.floats(heads * dim).iter().map(|v| v / dim as f32).collect();
    let keys = noise.floats(positions * dim);
    let values = noise.floats(positions * dim);
    let (quants, scales) = rows_at(&q, dim, heads, |head, d| head * dim + d);
    let cached = cached(&keys, &values, dim);
    let run = |kernels| attended(kernels, Quants { quants: &quants, scales: &scales }, &cached, dim);
    let got = run(dispatch::detect());
    assert_eq!(got, run(&dispatch::REFERENCE));
    let mut want = vec![0.0; got.len()];
    reference::attend(&q, &keys, &values, dim, &mut want);
    assert_close(&got, &want, &vec![4.0; got.len()], FOURTEEN_BITS);
}

fn check_elementwise(case: &Case) {
    let mut noise = Noise(case.seed);
    let x = noise.floats(case.cols);
    let w = noise.floats(case.cols);
    let mut got = vec![0.0; case.cols];
    let mut want = vec![0.0; case.cols];
    portable::rms_norm(&x, &w, 1e-5, &mut got);
    reference::rms_norm(&x, &w, 1e-5, &mut want);
    assert_close(&got, &want, &want.iter().map(|v| v.abs()).collect::<Vec<_>>(), REORDERED);

    got.copy_from_slice(&x);
    want.copy_from_slice(&x);
    portable::swiglu(&mut got, &w);
    reference::swiglu(&mut want, &w);
    assert_close(&got, &want, &want.iter().map(|v| v.abs()).collect::<Vec<_>>(), EXP);

    // Where 1 + tanh nears 0 the reference cancels: its own rounding is the bound there.
    got.copy_from_slice(&x);
    want.copy_from_slice(&x);
    portable::geglu(&mut got, &w);
    reference::geglu(&mut want, &w);
    assert_close(&got, &want, &x.iter().zip(&w).map(|(x, w)| (x * w).abs()).collect::<Vec<_>>(), EXP);

    got.copy_from_slice(&x);
    portable::rms_norm_heads(&mut got, &w[..case.cols / 2], 1e-5);
    for (head, x) in want.chunks_exact_mut(case.cols / 2).zip(x.chunks_exact(case.cols / 2)) {
        reference::rms_norm(x, &w[..case.cols / 2], 1e-5, head);
    }
    assert_close(&got, &want, &want.iter().map(|v| v.abs()).collect::<Vec<_>>(), REORDERED);

    let angles: Vec<(f32, f32)> = (0..case.cols / 2).map(|i| (i as f32).sin_cos()).collect();
    got.copy_from_slice(&x);
    want.copy_from_slice(&x);
    portable::rotate(&mut got, case.cols, &angles);
    reference::rope(&mut want, &angles);
    assert_eq!(got, want);
}

fn check_unquantized(case: &Case) {
    let mut noise = Noise(case.seed);
    let halves: Vec<u16> = noise.floats(case.rows * case.cols).into_iter().map(f32_to_f16).collect();
    let floats: Vec<f32> = halves.iter().map(|half| f16_to_f32(*half)).collect();
    let x = noise.floats(case.tokens * case.cols);
    let exact = |t: usize, r: usize| {
        let row = &floats[r * case.cols..][..case.cols];
        let x = &x[t * case.cols..][..case.cols];
        row.iter().zip(x).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
    };
    let want: Vec<f32> = (0..case.tokens * case.rows).map(|i| exact(i / case.rows, i % case.rows)).collect();
    let size = vec![16.0 * case.cols as f32; want.len()];
    let mut got = vec![0.0; want.len()];
    // SAFETY: this thread alone writes.
    unsafe { portable::matmul_floats(&floats, &x, &DisjointSlices::of(&mut got), case.cols, 0..case.rows) };
    assert_close(&got, &want, &size, REORDERED);
    // SAFETY: as above.
    unsafe {
        let y = &DisjointSlices::of(&mut got);
        portable::matmul_narrow(&halves, f16_to_f32, &x, y, case.cols, 0..case.rows);
    }
    assert_close(&got, &want, &size, REORDERED);
}

fn check_all(case: &Case) {
    check_quantize(case);
    check_product::<Q4_0>(case, Format::Q4_0);
    check_product::<Q4_1>(case, Format::Q4_1);
    check_product::<Q5_0>(case, Format::Q5_0);
    check_product::<Q5_1>(case, Format::Q5_1);
    check_product::<Q8_0>(case, Format::Q8_0);
    check_product::<Q2_K>(case, Format::Q2_K);
    check_product::<Q3_K>(case, Format::Q3_K);
    check_product::<Q4_K>(case, Format::Q4_K);
    check_product::<Q5_K>(case, Format::Q5_K);
    check_product::<Q6_K>(case, Format::Q6_K);
    check_product::<IQ4_NL>(case, Format::IQ4_NL);
    check_product::<IQ4_XS>(case, Format::IQ4_XS);
    check_attend(case);
    check_elementwise(case);
    check_unquantized(case);
}

#[cfg(not(target_arch = "wasm32"))]
mod random {
    use proptest::prelude::*;

    use super::{ACTIVATION_BLOCK, Case, check_all};

    fn cases() -> impl Strategy<Value = Case> {
        (1..40usize, 1..12usize, 1..10usize, any::<u64>()).prop_map(|(rows, blocks, tokens, seed)| Case {
            rows,
            cols: blocks * ACTIVATION_BLOCK,
            tokens,
            seed,
        })
    }

    proptest! {
        #[test]
        fn every_kernel_matches_its_scalar_twin(case in cases()) {
            check_all(&case);
        }
    }
}

/// proptest's own runner needs a file system; in the browser the same checks run over a fixed walk of shapes.
#[cfg(target_arch = "wasm32")]
mod walk {
    use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

    use super::{ACTIVATION_BLOCK, Case, Noise, check_all};

    wasm_bindgen_test_configure!(run_in_dedicated_worker);

    #[wasm_bindgen_test]
    fn every_kernel_matches_its_scalar_twin() {
        for seed in 0..200u64 {
            let mut noise = Noise(seed);
            let mut pick = |n: u64| 1 + (noise.next() % n) as usize;
            let case = Case { rows: pick(39), cols: pick(11) * ACTIVATION_BLOCK, tokens: pick(9), seed };
            check_all(&case);
        }
    }
}

#[test]
fn a_block_of_zeros_quantises_to_zeros() {
    let case = Case { rows: 1, cols: ACTIVATION_BLOCK, tokens: 1, seed: 0 };
    for precisions in PRECISIONS {
        let out = quantized(dispatch::detect(), &[0.0; ACTIVATION_BLOCK], &case, precisions);
        let out = out.rows();
        assert!(out.quants.iter().all(|q| *q == 0) && out.factors == [BlockFactors::default()]);
    }
}

#[test]
fn exp_is_within_its_bound_over_its_whole_range() {
    let mut x = -87.0f32;
    while x < 88.0 {
        let got = portable::exp(x);
        let want = f64::from(x).exp() as f32;
        assert!((got - want).abs() <= EXP * want, "exp({x}) = {got}, not {want}");
        x += 0.001;
    }
    assert_eq!(portable::exp(0.0), 1.0);
}
