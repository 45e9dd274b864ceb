use std::io::Cursor;

use candle_core::quantized::GgmlDType;

use super::*;
use crate::cpu::verify::estimate::{estimate, held};
use crate::cpu::{Kernels, dispatch};
use crate::testing::{self, LAYERS, VOCABULARY};
use crate::{Result, block_on};

const TYPES: [GgmlDType; 5] =
    [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q8_0, GgmlDType::F16, GgmlDType::F32];

/// Logits (tokens, vocabulary) put together from the slices, and how many steps were reported.
fn streamed(bytes: &[u8], tokens: &[u32], kernels: &'static Kernels) -> Result<(Vec<f32>, usize)> {
    let mut gguf = Gguf::open("tiny.gguf", Cursor::new(bytes))?;
    let plan = Arc::new(Plan::of(&gguf, testing::CONTEXT)?);
    let mut all = vec![f32::NAN; tokens.len() * VOCABULARY];
    let mut steps = 0;
    let mut next = 0;
    let mut each = |done, total| {
        steps += 1;
        assert_eq!((done, total), (steps, 1 + 6 * LAYERS + VOCABULARY.div_ceil(SLICE)));
    };
    let mut sink = |rows: Range<usize>, logits: &[f32]| {
        assert_eq!(rows.start, next, "slices come in order");
        next = rows.end;
        for (token, logits) in logits.chunks_exact(rows.len()).enumerate() {
            all[token * VOCABULARY..][rows.clone()].copy_from_slice(logits);
        }
    };
    forward(&mut gguf, &plan, tokens, &Processor::alone(kernels), &mut each, &mut sink)?;
    assert_eq!(next, VOCABULARY);
    Ok((all, steps))
}

fn bits(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}

#[test]
fn streamed_logits_are_the_engines_to_the_bit() {
    let tokens: Vec<u32> = (0..MAX_BATCH as u32).map(|i| i * 41 % VOCABULARY as u32).collect();
    for dtype in TYPES {
        let bytes = testing::file(dtype);
        let mut engine = testing::load(bytes.clone()).unwrap();
        engine.reading = Precision::Fourteen;
        for len in [1, 5, MAX_BATCH] {
            let mut want = Vec::new();
            block_on(engine.logits(&tokens[..len], &mut |_, logits| want.extend_from_slice(logits))).unwrap();
            let (got, _) = streamed(&bytes, &tokens[..len], dispatch::detect()).unwrap();
            assert_eq!(bits(&got), bits(&want), "{dtype:?}, {len} tokens");
        }
    }
}

#[test]
fn a_head_of_its_own_is_used() {
    let mut tensors = testing::tensors(GgmlDType::Q4_1);
    let (_, embedding) = testing::tensors(GgmlDType::Q8_0).swap_remove(0);
    let tied =
        streamed(&testing::write(&testing::metadata(), &tensors), &[3, 9], dispatch::detect()).unwrap();
    tensors.push(("output.weight".to_owned(), embedding));
    let bytes = testing::write(&testing::metadata(), &tensors);
    let own = streamed(&bytes, &[3, 9], dispatch::detect()).unwrap();
    let mut want = Vec::new();
    let mut engine = testing::load(bytes).unwrap();
    engine.reading = Precision::Fourteen;
    block_on(engine.logits(&[3, 9], &mut |_, logits| want.extend_from_slice(logits))).unwrap();
    assert_eq!(bits(&own.0), bits(&want));
    assert_ne!(bits(&own.0), bits(&tied.0));
}

#[test]
fn tokens_that_cannot_be_read_are_refused_with_a_sentence() {
    let bytes = testing::file(GgmlDType::Q4_0);
    let refusal = |tokens: &[u32]| streamed(&bytes, tokens, dispatch::detect()).unwrap_err().to_string();
    assert_eq!(refusal(&[]), "number of tokens is 0; it must be 1 to 32");
    assert_eq!(refusal(&[1; 33]), "number of tokens is 33; it must be 1 to 32");
    assert!(refusal(&[1, 258]).contains("token 258 is outside the vocabulary of 258"));
}

#[test]
fn a_layer_that_is_missing_is_named() {
    let mut tensors = testing::tensors(GgmlDType::Q4_0);
    tensors.retain(|(name, _)| name != "blk.1.ffn_up.weight");
    let bytes = testing::write(&testing::metadata(), &tensors);
    let message = streamed(&bytes, &[1], dispatch::detect()).unwrap_err().to_string();
    assert!(message.contains("tensor blk.1.ffn_up.weight is missing"), "{message}");
}

fn tiny() -> (Gguf<Cursor<Vec<u8>>>, Arc<Plan>) {
    let gguf = Gguf::open("tiny.gguf", Cursor::new(testing::file(GgmlDType::Q4_1))).unwrap();
    let plan = Arc::new(Plan::of(&gguf, testing::CONTEXT).unwrap());
    (gguf, plan)
}

#[test]
fn an_estimate_is_scaled_by_bytes_to_the_whole_model() {
    let (mut gguf, plan) = tiny();
    // Each look at the clock finds it 2 ms later, so that is what a pass takes.
    let clock = std::cell::Cell::new(0.0);
    let now = || {
        clock.set(clock.get() + 2.0);
        clock.get()
    };
    let estimate = estimate(&mut gguf, &plan, &Processor::alone(dispatch::detect()), &now).unwrap().unwrap();
    assert_eq!(estimate.layers, LAYERS);
    assert_eq!(estimate.measured_ms, 2.0 * estimate.passes as f64);
    // All layers are held, and 64 of the head's 258 rows.
    let bytes =
        |name: &str| gguf.tensors().iter().filter(|t| t.name.starts_with(name)).map(|t| t.bytes).sum();
    let (layers, head): (u64, u64) = (bytes("blk."), bytes("token_embd"));
    let part = layers as f64 + head as f64 * 64.0 / 258.0;
    let want = 500.0 * part / (layers + head) as f64;
    assert!((estimate.tokens_per_s / want - 1.0).abs() < 1e-3, "{}, not {want}", estimate.tokens_per_s);
}

#[test]
fn few_layers_are_held_and_one_at_least() {
    assert_eq!(held(&[2_300_000; 30]), 2);
    assert_eq!(held(&[8_000_000; 2]), 1);
    assert_eq!(held(&[1000; 2]), 2);
}

#[test]
fn a_clock_that_stands_still_ends_without_an_estimate() {
    let (mut gguf, plan) = tiny();
    assert_eq!(estimate(&mut gguf, &plan, &Processor::alone(dispatch::detect()), &|| 5.0).unwrap(), None);
}
