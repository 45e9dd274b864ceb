//! The real model on the GPU against the processor, natively: on Mesa's llvmpipe where there is no GPU.

use std::fs::File;

use engine::cpu::{Agreement, Pool};
use engine::gguf::Gguf;
use engine::gpu::{Adapter, Settings};
use engine::tokenizer::Specials;
use engine::{Engine, LoadOptions, Preference, argmax, block_on};

/// Positions that are read: several batches of the GPU, and attention in several pieces.
const CONTEXT: usize = 1_500;

/// Positions whose whole distributions are compared.
const FORCED: usize = 64;

/// Largest difference of a log-probability over those. Both sides round the cache to halves, the processor its
/// activations to 14 bits. Measured 0.02.
const DIFFERENCE: f32 = 0.1;

/// Share of positions with the same best next token.
const SAME: f64 = 0.99;

/// The GPU's perplexity against the processor's.
const PERPLEXITY: f64 = 0.005;

fn engine(preference: Preference) -> Engine {
    let gguf = Gguf::open("model.gguf", File::open(tests::model()).unwrap()).unwrap();
    let gpu = match preference {
        Preference::Cpu => Err("a test".to_owned()),
        _ => Ok(block_on(async {
            let adapter = Adapter::find().await.expect("`cargo xtask setup` installs a software adapter");
            adapter.open(Settings::default()).await.unwrap()
        })),
    };
    let pool = Pool::spawn(std::thread::available_parallelism().map_or(1, usize::from));
    let options =
        LoadOptions { context: CONTEXT, backend: preference, pool, clock: || 0.0, remembered: None };
    let engine = block_on(Engine::load(gguf, &options, gpu, &mut |_| {})).unwrap();
    assert_eq!(engine.gpu().is_some(), preference == Preference::Gpu, "{}", engine.report().reason);
    engine
}

/// What is kept of one backend's logits over all positions.
#[derive(Default)]
struct Read {
    best: Vec<u32>,
    /// −ln of the probability of the token that follows.
    surprise: Vec<f64>,
    /// Logits of the first [`FORCED`] positions.
    logits: Vec<Vec<f32>>,
}

fn read(engine: &mut Engine, tokens: &[u32]) -> Read {
    let mut read = Read::default();
    let mut keep = |position: usize, logits: &[f32]| {
        read.best.push(argmax(logits));
        if let Some(next) = tokens.get(position + 1) {
            let peak = logits[argmax(logits) as usize];
            let sum: f64 = logits.iter().map(|logit| f64::from(logit - peak).exp()).sum();
            read.surprise.push(sum.ln() - f64::from(logits[*next as usize] - peak));
        }
        if position < FORCED {
            read.logits.push(logits.to_vec());
        }
    };
    block_on(engine.logits(tokens, &mut keep)).unwrap();
    assert_eq!(read.best.len(), tokens.len());
    read
}

#[test]
fn log_probabilities_perplexity_and_a_long_context_are_the_processors() {
    let mut cpu = engine(Preference::Cpu);
    let text = std::fs::read_to_string(tests::workspace().join("tests/golden/english.txt")).unwrap();
    let text = cpu.tokenizer().encode(&text, Specials::AsText).unwrap();
    // The text once, and again from its beginning up to the end of the context.
    let tokens: Vec<u32> = text.iter().copied().cycle().take(CONTEXT).collect();
    let theirs = read(&mut cpu, &tokens);
    drop(cpu);
    let ours = read(&mut engine(Preference::Gpu), &tokens);

    let mut agreement = Agreement::new(FORCED);
    for (token, (ours, theirs)) in ours.logits.iter().zip(&theirs.logits).enumerate() {
        agreement.add(token, 0..ours.len(), theirs, ours);
    }
    let difference = agreement.largest_difference();
    let same = ours.best.iter().zip(&theirs.best).filter(|(a, b)| a == b).count();
    let scored = CONTEXT.min(text.len()) - 1;
    let perplexity = |read: &Read| (read.surprise[..scored].iter().sum::<f64>() / scored as f64).exp();
    let (gpu, cpu) = (perplexity(&ours), perplexity(&theirs));
    println!(
        "over {FORCED} forced tokens a log-probability differs by {difference:.4} at most; same best token {same} of \
         {CONTEXT}; perplexity over {scored} tokens {gpu:.4} on the GPU, {cpu:.4} on the processor"
    );
    assert!(difference <= DIFFERENCE, "a log-probability is off by {difference}");
    assert!(same as f64 >= SAME * CONTEXT as f64, "{same} of {CONTEXT} best tokens are the same");
    assert!((gpu / cpu - 1.0).abs() <= PERPLEXITY, "perplexity {gpu}, on the processor {cpu}");
}
