//! The pass that never holds the weights against the backend that does, on the real model.

use std::cell::Cell;
use std::fs::File;
use std::sync::Arc;

use engine::cpu::verify::{Agreement, estimate, streamed};
use engine::cpu::{Processor, dispatch};
use engine::gguf::Gguf;
use engine::model::Plan;
use engine::tokenizer::Specials;
use engine::{Engine, Precision, block_on};

const TEXT: &str = "The quick brown fox jumps over the lazy dog, and the lazy dog does not mind at all.";
const TOKENS: usize = 16;

fn gguf() -> Gguf<File> {
    Gguf::open("model.gguf", File::open(tests::model()).unwrap()).unwrap()
}

#[test]
fn streamed_logits_are_the_engines_to_the_bit() {
    let mut engine = Engine::on_cpu(gguf(), TOKENS, Precision::Fourteen).unwrap();
    let mut tokens = engine.tokenizer().encode(TEXT, Specials::AsText).unwrap();
    tokens.truncate(TOKENS);
    let mut held = Vec::new();
    block_on(engine.logits(&tokens, &mut |_, logits| held.push(logits.to_vec()))).unwrap();
    assert_eq!(held.len(), TOKENS);

    let mut gguf = gguf();
    let plan = Arc::new(Plan::of(&gguf, 64).unwrap());
    let mut agreement = Agreement::new(TOKENS);
    let mut rows_seen = 0;
    streamed::forward(
        &mut gguf,
        &plan,
        &tokens,
        &Processor::alone(dispatch::detect()),
        &mut |_, _| {},
        &mut |rows, logits| {
            rows_seen += rows.len();
            for (token, ours) in logits.chunks_exact(rows.len()).enumerate() {
                let theirs = &held[token][rows.clone()];
                assert!(
                    ours.iter().zip(theirs).all(|(a, b)| a.to_bits() == b.to_bits()),
                    "{token}: {rows:?}"
                );
                agreement.add(token, rows.clone(), ours, theirs);
            }
        },
    )
    .unwrap();
    assert_eq!(rows_seen, plan.spec.vocabulary);
    assert_eq!((agreement.same(), agreement.largest_difference()), (TOKENS, 0.0));
    let best: Vec<u32> = held.iter().map(|logits| engine::argmax(logits)).collect();
    assert_eq!(agreement.best().map(|(ours, _)| ours).collect::<Vec<_>>(), best);
}

/// The clock counts its looks, so the speed must be that of the timed part, scaled by the bytes in the file.
#[test]
fn an_estimate_of_the_real_model_is_its_timed_part_scaled_to_all_of_it() {
    /// Milliseconds by which each look at the clock finds it later; a pass looks twice.
    const TICK: f64 = 20.0;
    /// As many of the first layers as 5 MB hold.
    const LAYERS: usize = 2;
    let mut gguf = gguf();
    let plan = Arc::new(Plan::of(&gguf, 64).unwrap());
    let now = Cell::new(0.0);
    let clock = || {
        now.set(now.get() + TICK);
        now.get()
    };
    let estimate =
        estimate(&mut gguf, &plan, &Processor::alone(dispatch::detect()), &clock).unwrap().unwrap();
    println!("{estimate:?}");
    assert_eq!(estimate.layers, LAYERS);
    assert!(estimate.passes >= 3);
    assert_eq!(estimate.measured_ms, TICK * estimate.passes as f64);

    let bytes = |kept: &dyn Fn(&str) -> bool| {
        let kept = gguf.tensors().iter().filter(|tensor| kept(&tensor.name));
        kept.map(|tensor| tensor.bytes).sum::<u64>() as f64
    };
    let timed = bytes(&|name| (0..LAYERS).any(|layer| name.starts_with(&format!("blk.{layer}."))));
    // The head is the embedding's matrix.
    let head = bytes(&|name| name == "token_embd.weight");
    let timed =
        timed + head * streamed::SLICE as f64 / gguf.metadata().len("tokenizer.ggml.tokens").unwrap() as f64;
    let want = 1e3 / TICK * timed / (bytes(&|name| name.starts_with("blk.")) + head);
    assert!((estimate.tokens_per_s / want - 1.0).abs() < 1e-4, "{}, not {want}", estimate.tokens_per_s);
}
