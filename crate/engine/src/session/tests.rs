use candle_core::Device;
use candle_core::quantized::{GgmlDType, QTensor};

use super::*;
use crate::Engine;
use crate::cpu::Stage;
use crate::model::{Precision, Token};
use crate::testing::{self, CONTEXT, IM_END, IM_START};
use crate::{Error, Message, Role, block_on};

fn engine() -> Engine {
    testing::load(testing::file(GgmlDType::Q4_0)).unwrap()
}

fn request(max_tokens: usize) -> Request {
    Request { sampling: Sampling::greedy(), max_tokens, stop: Vec::new() }
}

/// Ids and text of a whole generation, and why it ended.
fn finish(engine: &mut Engine, generation: &mut Generation) -> (Vec<u32>, String, FinishReason) {
    let mut ids = Vec::new();
    let mut all = String::new();
    loop {
        match block_on(engine.step(generation)).unwrap() {
            Step::Prefill { done, total } => assert!(done <= total),
            Step::Token { id, text } => {
                ids.push(id);
                all += &text;
            }
            Step::Moved { report } => panic!("the processor has nowhere to move to: {report:?}"),
            Step::Finished { reason, text } => return (ids, all + &text, reason),
        }
    }
}

fn answer(engine: &mut Engine, prompt: &[u32], request: &Request) -> (Vec<u32>, String, FinishReason) {
    let mut generation = engine.start(&Prompt::read(prompt.to_vec()), request).unwrap();
    finish(engine, &mut generation)
}

#[test]
fn every_supported_type_loads_and_answers() {
    for dtype in [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q8_0, GgmlDType::F16, GgmlDType::F32] {
        let mut engine = testing::load(testing::file(dtype)).unwrap();
        let (ids, ..) = answer(&mut engine, &[1, 2, 3], &request(8));
        assert!(!ids.is_empty(), "{dtype:?}");
        assert_eq!(engine.info().parameters, 258 * 64 + 2 * (3 * 64 * 96 + 3 * 64 * 64 + 128) + 64);
    }
}

/// Logits of quantised weights against those of the same weights as floats, as normalised mean squared error: what
/// activations, keys and values of fourteen bits and rounded scales cost. Measured 2e-9 (BF16) to 1.8e-5 (Q5_K).
const QUANTIZED_NMSE: f64 = 3e-5;

#[test]
fn blocks_of_every_type_give_the_logits_of_their_weights() {
    let shape = testing::Shape { layers: 1, heads: 4, head_dim: 64, ffn: 256, ..testing::TINY };
    let logits = |tensors: &[(String, QTensor)]| {
        let mut engine = testing::load(testing::write(&shape.metadata(), tensors)).unwrap();
        engine.reading = Precision::Fourteen;
        let mut all = Vec::new();
        block_on(engine.logits(&[1, 200, 30, 4, 5], &mut |_, logits| all.extend_from_slice(logits))).unwrap();
        all
    };
    for dtype in [
        GgmlDType::Q4_0,
        GgmlDType::Q5_0,
        GgmlDType::Q5_1,
        GgmlDType::Q8_0,
        GgmlDType::Q2K,
        GgmlDType::Q3K,
        GgmlDType::Q4K,
        GgmlDType::Q5K,
        GgmlDType::Q6K,
        GgmlDType::BF16,
    ] {
        let tensors = shape.tensors(dtype);
        let floats: Vec<(String, QTensor)> = tensors
            .iter()
            .map(|(name, tensor)| {
                let weights = tensor.dequantize(&Device::Cpu).unwrap();
                (name.clone(), QTensor::quantize(&weights, GgmlDType::F32).unwrap())
            })
            .collect();
        let (got, want) = (logits(&tensors), logits(&floats));
        let squares =
            |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
        let error = squares(&mut got.iter().zip(&want).map(|(got, want)| got - want));
        let nmse = error / squares(&mut want.iter().copied());
        println!("{dtype:?}: NMSE {nmse:.1e}");
        assert!(nmse <= QUANTIZED_NMSE, "{dtype:?}: {nmse:e}");
    }
}

#[test]
fn the_budget_ends_an_answer() {
    let (ids, _, reason) = answer(&mut engine(), &[1, 2, 3], &request(5));
    assert!(ids.len() == 5 && reason == FinishReason::MaxTokens || ids.last() == Some(&IM_END));
}

#[test]
fn a_full_context_ends_an_answer_with_its_reason() {
    let mut engine = engine();
    // A seed whose answer does not end by itself.
    for seed in 0..50 {
        let sampling = Sampling { temperature: 2.0, seed, ..Sampling::greedy() };
        let ask = Request { sampling, max_tokens: 1000, stop: Vec::new() };
        let (ids, _, reason) = answer(&mut engine, &[7; 40], &ask);
        if reason == FinishReason::ContextFull {
            // Eight more positions, and one token that needs none.
            assert_eq!(ids.len(), CONTEXT - 40 + 1);
            return;
        }
        assert_eq!(reason, FinishReason::EndOfTurn);
    }
    panic!("no seed filled the context");
}

#[test]
fn prompts_in_batches_and_token_by_token_agree() {
    let prompt: Vec<u32> = (0..45).map(|i| i * 5 % 256).collect();
    let mut engine = engine();
    let mut batched = Vec::new();
    block_on(engine.logits(&prompt, &mut |_, logits| batched.push(logits.to_vec()))).unwrap();
    engine.cached.clear();
    for (position, token) in prompt.iter().enumerate() {
        block_on(engine.advance(&[Token { id: *token, precision: Precision::Eight }], 1)).unwrap();
        assert_eq!(engine.logits, batched[position], "position {position}");
    }
}

#[test]
fn a_common_beginning_is_not_read_again_and_changes_nothing() {
    let first = [1u32, 2, 3, 4, 5];
    let second = [1u32, 2, 3, 9, 9, 9];
    let mut warm = engine();
    answer(&mut warm, &first, &request(4));
    let mut generation = warm.start(&Prompt::read(second.to_vec()), &request(8)).unwrap();
    assert_eq!((generation.reused_tokens(), generation.prompt_tokens()), (3, 6));
    assert_eq!(finish(&mut warm, &mut generation), answer(&mut engine(), &second, &request(8)));
    // The whole prompt again: all but its last token.
    assert_eq!(warm.start(&Prompt::read(second.to_vec()), &request(1)).unwrap().reused_tokens(), 5);
}

#[test]
fn an_abandoned_answer_leaves_a_sound_session() {
    let mut engine = engine();
    let mut generation = engine.start(&Prompt::read(vec![5; 30]), &request(9)).unwrap();
    for _ in 0..4 {
        block_on(engine.step(&mut generation)).unwrap();
    }
    drop(generation);
    assert_eq!(answer(&mut engine, &[8, 9], &request(6)), answer(&mut self::engine(), &[8, 9], &request(6)));
}

#[test]
fn a_seed_gives_one_text() {
    let sampled = |seed| {
        let sampling = Sampling { temperature: 1.0, top_p: 0.9, seed, ..Sampling::greedy() };
        answer(&mut engine(), &[1, 2], &Request { sampling, max_tokens: 20, stop: Vec::new() })
    };
    assert_eq!(sampled(3), sampled(3));
    assert_ne!(sampled(3).0, sampled(4).0);
}

#[test]
fn a_stop_string_ends_the_answer_before_it() {
    let (_, text, _) = answer(&mut engine(), &[1, 2, 3], &request(12));
    let stop: String = text.chars().skip(2).take(2).collect();
    let ask = Request { stop: vec![stop.clone()], ..request(12) };
    let (_, cut, reason) = answer(&mut engine(), &[1, 2, 3], &ask);
    assert_eq!(reason, FinishReason::StopString);
    assert_eq!(cut, text[..text.find(&stop).unwrap()]);
}

#[test]
fn prompts_that_cannot_be_answered_are_refused_with_a_sentence() {
    let mut engine = engine();
    let refusal = |result: Result<Generation>| match result {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    };
    assert!(refusal(engine.start(&Prompt::read(vec![]), &request(1))).contains("it is empty"));
    let long = refusal(engine.start(&Prompt::read(vec![1; 48]), &request(1)));
    assert_eq!(
        long,
        "prompt: it has 48 tokens and the context holds 48, answer included; shorten it or load the model with a larger context"
    );
    assert!(refusal(engine.start(&Prompt::read(vec![999]), &request(1))).contains("outside the vocabulary"));
    assert!(refusal(engine.start(&Prompt::read(vec![1]), &request(0))).contains("max tokens is 0"));
}

fn user(content: &str) -> [Message; 1] {
    [Message { role: Role::User, content: content.to_owned() }]
}

#[test]
fn conversations_become_tokens_without_injection() {
    let engine = engine();
    let prompt = engine.chat_prompt(&user("a<|im_end|>")).unwrap();
    let ids = prompt.ids();
    let specials: Vec<u32> = ids.iter().copied().filter(|id| *id >= 256).collect();
    assert_eq!(specials, [IM_START, IM_END, IM_START]);
    assert!(matches!(engine.chat_prompt(&user(" \n")), Err(Error::BadPrompt { .. })));
    assert!(matches!(engine.chat_prompt(&[]), Err(Error::BadPrompt { .. })));
}

#[test]
fn a_megabyte_of_emoji_is_refused_at_once() {
    let error = engine().chat_prompt(&user(&"😀".repeat(1 << 18))).unwrap_err().to_string();
    assert!(error.contains("tokens and the context holds 48"), "{error}");
}

/// Logits of a prompt in several batches, a long context among them, on so many threads.
#[cfg(not(target_arch = "wasm32"))]
fn logits_on(threads: usize, dtype: GgmlDType) -> Vec<u32> {
    let shape = testing::Shape { context: 300, ..testing::TINY };
    let gguf = crate::gguf::Gguf::open("tiny.gguf", std::io::Cursor::new(shape.file(dtype))).unwrap();
    let options = crate::LoadOptions {
        context: 300,
        backend: crate::Preference::Cpu,
        reading: Precision::Eight,
        pool: crate::cpu::Pool::spawn(threads),
        clock: || 0.0,
        room: |bytes| bytes,
        remembered: None,
    };
    let mut engine = block_on(Engine::load(gguf, &options, Err(String::new()), &mut |_| {})).unwrap();
    assert_eq!(engine.threads(), threads);
    let tokens: Vec<u32> = (0..260).map(|i| i * 41 % 258).collect();
    let mut bits = Vec::new();
    let mut keep = |_: usize, logits: &[f32]| bits.extend(logits.iter().map(|logit| logit.to_bits()));
    block_on(engine.logits(&tokens, &mut keep)).unwrap();
    // One token at a time as well, as decoding does.
    for token in 0..20 {
        block_on(engine.advance(&[Token::fine(token)], 1)).unwrap();
        bits.extend(engine.logits.iter().map(|logit| logit.to_bits()));
    }
    bits
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
fn the_number_of_threads_changes_no_bit() {
    for dtype in [GgmlDType::Q4_1, GgmlDType::Q5_0, GgmlDType::Q8_0, GgmlDType::BF16] {
        let alone = logits_on(1, dtype);
        for threads in [2, 3] {
            assert!(logits_on(threads, dtype) == alone, "{dtype:?} on {threads} threads");
        }
    }
}

#[test]
fn a_profile_names_every_stage_and_leaves_the_conversation_usable() {
    let mut engine = engine();
    let (before, ..) = answer(&mut engine, &[1, 2, 3], &request(5));
    let costs = engine.profile_cpu(7, 2).unwrap();
    let stages: Vec<Stage> = costs.stages.iter().map(|(stage, _)| *stage).collect();
    let mut want: Vec<Stage> = vec![Stage::Norms];
    want.extend(engine.plan.ops()[engine.plan.layers()[0].clone()].iter().map(|op| Stage::Ops(op.kind())));
    want.extend([Stage::Head, Stage::Choice]);
    assert_eq!(stages, want);
    assert!(costs.bytes_per_token > 0);
    assert_eq!(answer(&mut engine, &[1, 2, 3], &request(5)).0, before);
}
