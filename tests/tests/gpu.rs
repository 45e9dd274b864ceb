//! The real model on the GPU against the processor, natively: on Mesa's llvmpipe where there is no GPU.

use std::fs::File;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Instant;

use engine::cpu::Pool;
use engine::cpu::verify::Agreement;
use engine::gguf::Gguf;
use engine::gpu::{Adapter, Settings, Variant};
use engine::tokenizer::Specials;
use engine::{Engine, LoadOptions, Precision, Preference, Prompt, Request, Sampling, Step, argmax, block_on};

/// Positions of the cache: attention puts several splits of 256 together.
const CONTEXT: usize = 800;

/// Tokens that are scored: more than one batch of the GPU. Software adapters take a third of a second for each.
const SCORED: usize = 320;

/// Positions whose whole distributions are compared.
const FORCED: usize = 64;

/// Tokens of an answer.
const ANSWER: usize = 8;

/// A prompt in whose answer no choice is near a tie.
const GEMMA_PROMPT: &str = "1, 2, 3, 4, 5, 6,";

/// Largest difference of a log-probability over those. Both sides round the cache to halves, the processor its
/// activations to 14 bits. Measured 0.03.
const DIFFERENCE: f32 = 0.1;

/// Share of positions with the same best next token.
const SAME: f64 = 0.99;

/// The GPU's perplexity against the processor's.
const PERPLEXITY: f64 = 0.005;

/// What loading measures with; a clock that stands still would keep it measuring.
fn now_ms() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1e3
}

fn engine(path: PathBuf, context: usize, preference: Preference, settings: Settings) -> Engine {
    let gguf = Gguf::open("model.gguf", File::open(path).unwrap()).unwrap();
    let gpu = match preference {
        Preference::Cpu => Err("a test".to_owned()),
        _ => Ok(block_on(async {
            let adapter = Adapter::find().await.expect("`cargo xtask setup` installs a software adapter");
            adapter.open(settings).await.unwrap()
        })),
    };
    let pool = Pool::spawn(std::thread::available_parallelism().map_or(1, usize::from));
    let options = LoadOptions {
        context,
        backend: preference,
        reading: Precision::Fourteen,
        pool,
        clock: now_ms,
        room: |bytes| bytes,
        remembered: None,
    };
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

/// The greedy answer of [`ANSWER`] tokens.
fn answer(engine: &mut Engine, tokens: &[u32]) -> Vec<u32> {
    let request = Request { sampling: Sampling::greedy(), max_tokens: ANSWER, stop: Vec::new() };
    let mut generation = engine.start(&Prompt::read(tokens.to_vec()), &request).unwrap();
    let mut ids = Vec::new();
    loop {
        match block_on(engine.step(&mut generation)).unwrap() {
            Step::Token { id, .. } => ids.push(id),
            Step::Finished { .. } => return ids,
            Step::Moved { report } => panic!("{}", report.reason),
            Step::Prefill { .. } => {}
        }
    }
}

#[test]
fn log_probabilities_perplexity_and_a_long_context_are_the_processors() {
    let mut cpu = engine(tests::model(), CONTEXT, Preference::Cpu, Settings::default());
    let text = std::fs::read_to_string(tests::workspace().join("tests/golden/english.txt")).unwrap();
    let text = cpu.tokenizer().encode(&text, Specials::AsText).unwrap();
    // The text once, and again from its beginning up to the end of the context.
    let tokens: Vec<u32> = text.iter().copied().cycle().take(CONTEXT).collect();
    let theirs = read(&mut cpu, &tokens[..SCORED]);
    let prompt = &tokens[..CONTEXT - ANSWER];
    let their_answer = answer(&mut cpu, prompt);
    drop(cpu);
    let mut gpu = engine(tests::model(), CONTEXT, Preference::Gpu, Settings::default());
    let ours = read(&mut gpu, &tokens[..SCORED]);
    let our_answer = answer(&mut gpu, prompt);

    let mut agreement = Agreement::new(FORCED);
    for (token, (ours, theirs)) in ours.logits.iter().zip(&theirs.logits).enumerate() {
        agreement.add(token, 0..ours.len(), theirs, ours);
    }
    let difference = agreement.largest_difference();
    let same = ours.best.iter().zip(&theirs.best).filter(|(a, b)| a == b).count();
    let perplexity = |read: &Read| (read.surprise.iter().sum::<f64>() / read.surprise.len() as f64).exp();
    let gpu = perplexity(&ours);
    let cpu = perplexity(&theirs);
    println!(
        "over {FORCED} forced tokens a log-probability differs by {difference:.4} at most; same best token {same} of \
         {SCORED}; perplexity {gpu:.4} on the GPU, {cpu:.4} on the processor"
    );
    assert!(difference <= DIFFERENCE, "a log-probability is off by {difference}");
    assert!(same as f64 >= SAME * SCORED as f64, "{same} of {SCORED} best tokens are the same");
    assert!((gpu / cpu - 1.0).abs() <= PERPLEXITY, "perplexity {gpu}, on the processor {cpu}");
    assert_eq!(our_answer, their_answer, "after {} tokens", prompt.len());
}

/// Other tensor types, another architecture and a vocabulary five times as large.
#[test]
fn gemma_answers_as_on_the_processor() {
    // Measuring variants takes longer than all else here.
    let settings = || Settings { variant: Some(Variant::PLAIN), ..Settings::default() };
    let answers = [Preference::Cpu, Preference::Gpu].map(|preference| {
        let mut engine = engine(tests::gemma(), 64, preference, settings());
        let tokens = engine.tokenizer().encode_whole(GEMMA_PROMPT, Specials::AsText).unwrap();
        answer(&mut engine, &tokens)
    });
    assert_eq!(answers[0].len(), ANSWER);
    assert_eq!(answers[1], answers[0]);
}
