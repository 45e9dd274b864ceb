//! The timed cases: the default model's shapes. Every answer is compared with the scalar reference's once, before that.

use std::fmt;
use std::hint::black_box;

use engine::cpu::dispatch::{REFERENCE, detect};
use engine::cpu::kernels::layout::ACTIVATION_BLOCK as BLOCK;
use engine::cpu::kernels::reference;
use engine::format::f32_to_f16;

use crate::calls::{self, SharedHead, Weights};

const WIDTH: usize = 576;
const FFN: usize = 1_536;
const KV: usize = 192;
const VOCABULARY: usize = 49_152;

/// One head, and query heads that share a key-value head.
const HEAD: usize = 64;
const SHARING: usize = 3;

/// Of sums in another order and another `exp`, against the largest value: measured below 1e-5.
const TOLERANCE: f32 = 1e-4;

/// Size of the data that a run handles.
#[derive(Clone, Copy)]
pub(crate) enum Size {
    Bytes(u64),
    Elements(u64),
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{bytes} bytes"),
            Self::Elements(elements) => write!(f, "{elements} elements"),
        }
    }
}

/// One kernel at one shape.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) size: Size,
    pub(crate) run: Box<dyn FnMut()>,
}

/// Every case, checked.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for tokens in [1, 32] {
        for (rows, cols) in [(WIDTH, WIDTH), (KV, WIDTH), (FFN, WIDTH), (WIDTH, FFN)] {
            cases.push(product(4, rows, cols, tokens));
        }
        cases.push(quantize(tokens));
    }
    // The head is asked for one position only.
    cases.push(product(8, VOCABULARY, WIDTH, 1));
    cases.extend([rms_norm(), rotate(), swiglu()]);
    cases.extend([128, 2_048].map(attend));
    cases
}

/// Numbers that are the same on every run, in -1 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next() as f32 / (1u64 << 30) as f32 - 1.0).collect()
    }

    /// Blocks of any quants behind `halves` small scales.
    fn blocks(&mut self, count: usize, quants: usize, halves: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count * (quants + 2 * halves));
        for _ in 0..count {
            self.floats(halves).iter().for_each(|v| bytes.extend(f32_to_f16(v * 0.1).to_le_bytes()));
            bytes.extend((0..quants).map(|_| self.next() as u8));
        }
        bytes
    }
}

fn ensure_same(name: &str, got: &[f32], want: &[f32]) {
    let largest = want.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
    for (index, (got, want)) in got.iter().zip(want).enumerate() {
        // Written so that NaN fails.
        let same = (got - want).abs() <= TOLERANCE * largest;
        assert!(same, "{name}: {index}: {got} is not {want}");
    }
}

/// Weights of `bits` bits. Bytes: those of the weights in the file.
fn product(bits: usize, rows: usize, cols: usize, tokens: usize) -> Case {
    let mut noise = Noise(1);
    let blocks = rows * cols / BLOCK;
    let raw = if bits == 4 { noise.blocks(blocks, BLOCK / 2, 2) } else { noise.blocks(blocks, BLOCK, 1) };
    let size = Size::Bytes(raw.len() as u64);
    let w = if bits == 4 { Weights::q4(&raw, rows, cols) } else { Weights::q8(&raw, rows, cols) };
    let name = format!("matmul_q{bits} {rows}x{cols}, tokens: {tokens}");
    let floats = noise.floats(tokens * cols);
    let answer = |kernels| {
        let mut x = calls::room(tokens, cols);
        let mut y = vec![f32::NAN; tokens * rows];
        calls::quantize(kernels, &floats, &mut x);
        calls::product(kernels, &w, &x, &mut y, tokens);
        (x, y)
    };
    let (x, mut y) = answer(detect());
    ensure_same(&name, &y, &answer(&REFERENCE).1);
    let run = Box::new(move || calls::product(detect(), black_box(&w), &x, black_box(&mut y), tokens));
    Case { name, size, run }
}

/// Its numbers are compared through a product with the same weights; their order is each instruction set's own.
fn quantize(tokens: usize) -> Case {
    let mut noise = Noise(2);
    let x = noise.floats(tokens * WIDTH);
    let name = format!("quantize {WIDTH}, tokens: {tokens}");
    let w = Weights::q8(&noise.blocks(8 * WIDTH / BLOCK, BLOCK, 1), 8, WIDTH);
    let answer = |kernels| {
        let mut quantized = calls::room(tokens, WIDTH);
        let mut y = vec![f32::NAN; 8 * tokens];
        calls::quantize(kernels, &x, &mut quantized);
        calls::product(kernels, &w, &quantized, &mut y, tokens);
        y
    };
    ensure_same(&name, &answer(detect()), &answer(&REFERENCE));
    let mut out = calls::room(tokens, WIDTH);
    let size = Size::Elements((tokens * WIDTH) as u64);
    Case { name, size, run: Box::new(move || calls::quantize(detect(), black_box(&x), black_box(&mut out))) }
}

fn rms_norm() -> Case {
    const EPS: f32 = 1e-5;
    let x = Noise(3).floats(WIDTH);
    let weight = Noise(4).floats(WIDTH);
    let mut out = vec![0.0; WIDTH];
    let mut want = vec![0.0; WIDTH];
    calls::rms_norm(&x, &weight, EPS, &mut out);
    reference::rms_norm(&x, &weight, EPS, &mut want);
    ensure_same("rms_norm", &out, &want);
    let run = Box::new(move || calls::rms_norm(black_box(&x), &weight, EPS, black_box(&mut out)));
    Case { name: format!("rms_norm {WIDTH}"), size: Size::Elements(WIDTH as u64), run }
}

fn rotate() -> Case {
    let angles: Vec<(f32, f32)> = (0..HEAD / 2).map(|i| (i as f32).sin_cos()).map(|(s, c)| (c, s)).collect();
    let mut heads = Noise(5).floats(WIDTH);
    let mut want = heads.clone();
    calls::rotate(&mut heads, HEAD, &angles);
    want.chunks_exact_mut(HEAD).for_each(|head| reference::rope(head, &angles));
    ensure_same("rotate", &heads, &want);
    // A rotation keeps sizes, so that it can be done again and again.
    let run = Box::new(move || calls::rotate(black_box(&mut heads), HEAD, &angles));
    Case { name: format!("rotate {WIDTH}"), size: Size::Elements(WIDTH as u64), run }
}

fn swiglu() -> Case {
    let gate = Noise(6).floats(FFN);
    let up = Noise(7).floats(FFN);
    let mut got = gate.clone();
    let mut want = gate.clone();
    calls::swiglu(&mut got, &up);
    reference::swiglu(&mut want, &up);
    ensure_same("swiglu", &got, &want);
    let run = Box::new(move || {
        // It works in place: from the same numbers each time, or they would fade into denormals.
        got.copy_from_slice(&gate);
        calls::swiglu(black_box(&mut got), &up);
    });
    Case { name: format!("swiglu {FFN}"), size: Size::Elements(FFN as u64), run }
}

/// Bytes: those of the cache that is read.
fn attend(positions: usize) -> Case {
    let mut noise = Noise(8);
    let q: Vec<f32> = noise.floats(SHARING * HEAD).iter().map(|v| v / 8.0).collect();
    let keys = noise.floats(positions * HEAD);
    let values = noise.floats(positions * HEAD);
    let mut attention = SharedHead::new(&q, &keys, &values, HEAD);
    let mut out = vec![0.0; SHARING * HEAD];
    let mut want = vec![0.0; SHARING * HEAD];
    let name = format!("attend, positions: {positions}");
    let size = Size::Bytes((4 * positions * HEAD) as u64);
    attention.run(&REFERENCE, &mut want);
    attention.run(detect(), &mut out);
    ensure_same(&name, &out, &want);
    Case { name, size, run: Box::new(move || black_box(&mut attention).run(detect(), black_box(&mut out))) }
}
