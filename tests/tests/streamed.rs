//! The pass that never holds the weights against the backend that does, on the real model.

use std::fs::File;
use std::time::Instant;

use engine::cpu::{Agreement, Processor, dispatch, estimate, streamed};
use engine::gguf::Gguf;
use engine::model::Config;
use engine::tokenizer::Specials;
use engine::{Engine, block_on};

const TEXT: &str = "The quick brown fox jumps over the lazy dog, and the lazy dog does not mind at all.";
const TOKENS: usize = 16;

fn gguf() -> Gguf<File> {
    Gguf::open("model.gguf", File::open(tests::model()).unwrap()).unwrap()
}

#[test]
fn streamed_logits_are_the_engines_to_the_bit() {
    let mut engine = Engine::on_cpu(gguf(), TOKENS).unwrap();
    let mut tokens = engine.tokenizer().encode(TEXT, Specials::AsText).unwrap();
    tokens.truncate(TOKENS);
    let mut held = Vec::new();
    block_on(engine.logits(&tokens, &mut |_, logits| held.push(logits.to_vec()))).unwrap();
    assert_eq!(held.len(), TOKENS);

    let mut gguf = gguf();
    let config = Config::from_metadata(gguf.file(), gguf.metadata()).unwrap();
    let (mut agreement, mut rows_seen) = (Agreement::new(TOKENS), 0);
    let start = Instant::now();
    streamed::forward(
        &mut gguf,
        &config,
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
    println!("{TOKENS} tokens streamed in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    assert_eq!(rows_seen, config.vocabulary);
    assert_eq!((agreement.same(), agreement.largest_difference()), (TOKENS, 0.0));
    let best: Vec<u32> = held.iter().map(|logits| engine::argmax(logits)).collect();
    assert_eq!(agreement.best().map(|(ours, _)| ours).collect::<Vec<_>>(), best);
}

/// How near the estimate comes is printed, not asserted: time decides no test.
#[test]
fn an_estimate_of_the_real_model_is_made_from_a_part_of_it() {
    let mut gguf = gguf();
    let config = Config::from_metadata(gguf.file(), gguf.metadata()).unwrap();
    let start = Instant::now();
    let clock = || start.elapsed().as_secs_f64() * 1e3;
    let estimate =
        estimate(&mut gguf, &config, &Processor::alone(dispatch::detect()), &clock).unwrap().unwrap();
    println!("{estimate:?}, {:.0} ms in all", clock());
    assert!(estimate.layers >= 1 && estimate.layers < config.layers);
    assert!(estimate.tokens_per_s.is_finite() && estimate.tokens_per_s > 0.0);
}
