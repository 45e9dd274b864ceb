//! Every architecture on tiny models of random weights against llama.cpp's logits; and files that say something else,
//! each of which is computed so or refused.

use std::io::Cursor;
use std::sync::LazyLock;
use std::time::Instant;

use engine::cpu::Pool;
use engine::gguf::Gguf;
use engine::gpu::{Adapter, Settings, Variant};
use engine::{Engine, LoadOptions, Precision, Preference, argmax, block_on};
use serde_json::{Value, json};
use tests::architectures::{Case, altered, cases, nmse};

/// Error of the processor's logits at a position: keys and values of fourteen bits here and floats there, GELU by a
/// table of halves there. Measured: 3.5e-7 at most.
const PROCESSOR: f64 = 1e-6;

/// The same of the GPU's, whose cache holds halves.
const GPU: f64 = 1e-5;

/// Share of positions with the same best next token on the GPU as on the processor.
const SAME: f64 = 0.99;

/// The engine's logits at every position.
fn logits(engine: &mut Engine, case: &Case) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    block_on(engine.logits(&case.tokens, &mut |_, logits| all.push(logits.to_vec()))).unwrap();
    all
}

/// Checks one backend on every case; `each` gets its logits.
fn check(most: f64, load: impl Fn(&Case) -> Engine, mut each: impl FnMut(&Case, &[Vec<f32>])) {
    let mut worst = 0.0f64;
    for case in cases() {
        let got = logits(&mut load(&case), &case);
        let errors = case.logits.iter().map(|(position, want)| nmse(&got[*position], want));
        let error = errors.fold(0.0, f64::max);
        println!("{}: NMSE {error:.1e}", case.name);
        assert!(error.is_finite(), "{}", case.name);
        worst = worst.max(error);
        each(&case, &got);
    }
    assert!(worst <= most, "logits differ from llama.cpp's: NMSE {worst:.1e}");
}

#[test]
fn the_processors_logits_are_the_references() {
    check(PROCESSOR, on_cpu, |_, _| {});
}

fn on_cpu(case: &Case) -> Engine {
    let gguf = Gguf::open("tiny.gguf", Cursor::new(case.file.clone())).unwrap();
    Engine::on_cpu(gguf, case.context, Precision::Fourteen).unwrap()
}

fn on_gpu(case: &Case) -> Engine {
    let gguf = Gguf::open("tiny.gguf", Cursor::new(case.file.clone())).unwrap();
    // Measuring variants would compile each of their kernels for each of these models.
    let settings = Settings { variant: Some(Variant::PLAIN), ..Settings::default() };
    let device = block_on(async {
        let adapter = Adapter::find().await.expect("`cargo xtask setup` installs a software adapter");
        adapter.open(settings).await.unwrap()
    });
    let options = LoadOptions {
        context: case.context,
        backend: Preference::Gpu,
        reading: Precision::Fourteen,
        pool: Pool::alone(),
        clock: now_ms,
        room: |bytes| bytes,
        remembered: None,
    };
    let engine = block_on(Engine::load(gguf, &options, Ok(device), &mut |_| {})).unwrap();
    assert!(engine.gpu().is_some(), "{}: {}", case.name, engine.report().reason);
    engine
}

/// What loading measures with; a clock that stands still would keep it measuring.
fn now_ms() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1e3
}

#[test]
fn the_gpus_logits_are_the_references_and_choose_as_the_processors() {
    let mut same = 0;
    let mut all = 0;
    check(GPU, on_gpu, |case, theirs| {
        let ours = logits(&mut on_cpu(case), case);
        same += ours.iter().zip(theirs).filter(|(ours, theirs)| argmax(ours) == argmax(theirs)).count();
        all += ours.len();
    });
    assert!(same as f64 >= SAME * all as f64, "{same} of {all} tokens are the processor's");
}

/// What one model does and another does not moves the logits far beyond what is allowed.
#[test]
fn the_references_tell_the_variants_apart() {
    let cases = cases();
    let of = |name: &str| &cases.iter().find(|case| case.name == name).expect("it is there").logits;
    for (one, other) in [
        ("llama", "llama with linear scaling"),
        ("phi3 in a short context", "phi3 in a long context"),
        ("llama", "granite"),
        ("llama", "qwen2"),
    ] {
        for ((_, one), (_, other)) in of(one).iter().zip(of(other)) {
            assert!(nmse(one, other) > 100.0 * PROCESSOR);
        }
    }
}

/// The effect of a change to a file.
enum Effect {
    /// The logits become others.
    Computed,
    /// They stay what they are, to the bit.
    None,
    /// The file is refused with these words.
    Refused(&'static str),
}
use Effect::{Computed, None as Harmless, Refused};

/// A change to a case's description.
type Change = Box<dyn FnOnce(&mut Value)>;

/// A change to a case's keys.
fn key(key: &'static str, value: Value) -> Change {
    Box::new(move |case| case["metadata"][key] = value)
}

/// A change to the keys of any file.
fn general(key: &'static str, value: Value) -> Change {
    Box::new(move |case| case["general"] = json!({ key: value }))
}

/// Further tensors (shape), around 0.
fn tensors(added: &'static [(&'static str, &'static [usize])]) -> Change {
    Box::new(move |case| {
        let added = added.iter().map(|(name, shape)| json!([name, shape, 0.0, 0.5]));
        case["tensors"].as_array_mut().unwrap().extend(added);
    })
}

/// A tensor less.
fn without(name: &'static str) -> Change {
    Box::new(move |case| case["tensors"].as_array_mut().unwrap().retain(|tensor| tensor[0] != name))
}

/// What a file may say of each case's model, and what must come of it.
fn changes() -> Vec<(&'static str, Change, Effect)> {
    let llama = "llama";
    let yarn = "llama with yarn";
    let phi3 = "phi3 in a short context";
    vec![
        (llama, key("rope.freq_base", json!(500.0)), Computed),
        (llama, key("rope.freq_base", json!(0.0)), Refused("llama.rope.freq_base is 0")),
        (llama, key("rope.dimension_count", json!(8)), Computed),
        (llama, key("attention.layer_norm_rms_epsilon", json!(0.1)), Computed),
        (llama, key("rope.scaling.factor", json!(4.0)), Computed),
        (llama, key("rope.scaling.factor", json!(-4.0)), Refused("llama.rope.scaling.factor is -4")),
        (llama, key("rope.scale_linear", json!(4.0)), Computed),
        (llama, key("rope.scaling.attn_factor", json!(1.3)), Computed),
        (llama, key("rope.scaling.type", json!("dynamic")), Refused("llama.rope.scaling.type is dynamic")),
        (llama, key("rope.scaling.alpha", json!(1000.0)), Refused("llama.rope.scaling.alpha is 1000")),
        (
            llama,
            key("rope.dimension_sections", json!([4, 4])),
            Refused("llama.rope.dimension_sections is a list of 2"),
        ),
        (llama, key("rope.scaling.original_context_length", json!(64)), Harmless),
        (llama, key("expert_count", json!(8)), Refused("llama.expert_count is 8")),
        (llama, key("expert_count", json!(0)), Harmless),
        (llama, key("expert_used_count", json!(2)), Refused("llama.expert_used_count is 2")),
        (llama, key("attention.sliding_window", json!(16)), Refused("llama.attention.sliding_window is 16")),
        (llama, key("attention.sliding_window", json!(4096)), Harmless),
        (llama, key("attention.causal", json!(false)), Refused("llama.attention.causal is false")),
        (llama, key("attention.causal", json!(true)), Harmless),
        (llama, key("attention.scale", json!(0.1)), Refused("llama.attention.scale is 0.1")),
        (llama, key("attention.clamp_kqv", json!(8.0)), Refused("llama.attention.clamp_kqv is 8")),
        (llama, key("attention.max_alibi_bias", json!(8.0)), Refused("llama.attention.max_alibi_bias is 8")),
        (llama, key("attention.value_length", json!(32)), Refused("llama.attention.value_length is 32")),
        (llama, key("attention.key_length", json!(32)), Refused("llama.attention.value_length is 16")),
        (llama, key("attention.head_count_kv", json!(4)), Refused("blk.0.attn_k.weight has shape [32, 64]")),
        (llama, key("logit_scale", json!(0.5)), Refused("llama.logit_scale is 0.5")),
        (llama, key("residual_scale", json!(0.5)), Refused("llama.residual_scale is 0.5")),
        (llama, key("embedding_scale", json!(2.0)), Refused("llama.embedding_scale is 2")),
        (llama, key("attn_logit_softcapping", json!(50.0)), Refused("llama.attn_logit_softcapping is 50")),
        (llama, key("final_logit_softcapping", json!(30.0)), Refused("llama.final_logit_softcapping is 30")),
        (llama, key("pooling_type", json!(3)), Refused("llama.pooling_type is 3")),
        (llama, key("attention.of_the_future", json!(1)), Refused("llama.attention.of_the_future is 1")),
        (llama, key("vocab_size", json!(258)), Harmless),
        (llama, key("block_count", json!(1)), Refused("tensor blk.1.")),
        (llama, general("split.count", json!(3)), Refused("tiny-00002-of-00003.gguf is missing")),
        (llama, general("general.type", json!("mmproj")), Refused("general.type is mmproj")),
        (llama, general("general.license", json!("mit")), Harmless),
        (llama, tensors(&[("rope_freqs.weight", &[8])]), Computed),
        (llama, tensors(&[("output.weight", &[258, 64])]), Computed),
        (
            llama,
            tensors(&[
                ("blk.0.attn_q.bias", &[64]),
                ("blk.0.attn_k.bias", &[32]),
                ("blk.0.attn_v.bias", &[32]),
            ]),
            Computed,
        ),
        (
            llama,
            tensors(&[("blk.0.attn_q.bias", &[64])]),
            Refused("biases on some of queries, keys and values"),
        ),
        (
            llama,
            tensors(&[("blk.0.attn_output.bias", &[64])]),
            Refused("tensor blk.0.attn_output.bias has no place"),
        ),
        (llama, tensors(&[("blk.1.attn_q_norm.weight", &[16])]), Refused("tensor blk.1.attn_q_norm.weight")),
        (
            llama,
            tensors(&[("blk.1.post_ffw_norm.weight", &[64])]),
            Refused("tensor blk.1.post_ffw_norm.weight"),
        ),
        (
            llama,
            tensors(&[("blk.0.ffn_gate_inp.weight", &[8, 64])]),
            Refused("tensor blk.0.ffn_gate_inp.weight"),
        ),
        (llama, tensors(&[("rope_factors_long.weight", &[8])]), Refused("tensor rope_factors_long.weight")),
        (llama, without("blk.1.ffn_up.weight"), Refused("tensor blk.1.ffn_up.weight is missing")),
        (yarn, key("rope.scaling.type", json!("none")), Computed),
        (yarn, key("rope.scaling.factor", json!(2.0)), Computed),
        (yarn, key("rope.scaling.original_context_length", json!(128)), Computed),
        (yarn, key("rope.scaling.yarn_beta_fast", json!(2.0)), Computed),
        (yarn, key("rope.scaling.yarn_beta_slow", json!(0.1)), Computed),
        (yarn, key("rope.scaling.yarn_ext_factor", json!(0.5)), Computed),
        (yarn, key("rope.scaling.yarn_log_multiplier", json!(0.1)), Refused("yarn_log_multiplier is 0.1")),
        ("qwen2", without("blk.0.attn_k.bias"), Refused("tensor blk.0.attn_k.bias is missing")),
        ("qwen3", without("blk.0.attn_k_norm.weight"), Refused("tensor blk.0.attn_k_norm.weight is missing")),
        ("gemma3", key("attention.sliding_window", json!(40)), Computed),
        ("gemma3", key("attention.sliding_window", json!(0)), Computed),
        ("gemma3", key("attention.sliding_window_pattern", json!(3)), Computed),
        ("gemma3", key("rope.freq_base_swa", json!(500.0)), Computed),
        ("gemma3", key("rope.scaling.factor", json!(1.0)), Computed),
        ("gemma3", key("rope.scaling.type", json!("yarn")), Refused("gemma3.rope.scaling.type is yarn")),
        (
            "gemma3",
            key("final_logit_softcapping", json!(30.0)),
            Refused("gemma3.final_logit_softcapping is 30"),
        ),
        (phi3, key("attention.sliding_window", json!(16)), Computed),
        (phi3, key("rope.scaling.original_context_length", json!(32)), Computed),
        (phi3, key("rope.scaling.attn_factor", json!(1.0)), Computed),
        (phi3, without("rope_factors_long.weight"), Harmless),
        (phi3, without("rope_factors_short.weight"), Refused("tensor rope_factors_long.weight")),
        (phi3, tensors(&[("blk.0.attn_qkv.bias", &[128])]), Refused("tensor blk.0.attn_qkv.bias")),
        ("smollm3", tensors(&[("rope_freqs.weight", &[8])]), Refused("tensor rope_freqs.weight")),
        ("granite", key("attention.scale", json!(0.3)), Computed),
        ("granite", key("embedding_scale", json!(1.0)), Computed),
        ("granite", key("residual_scale", json!(0.0)), Computed),
        ("granite", key("logit_scale", json!(1.0)), Computed),
        ("granite", key("logit_scale", json!(0.0)), Refused("granite.logit_scale is 0")),
        ("granite", key("rope.scaling.finetuned", json!(false)), Computed),
    ]
}

#[test]
fn what_a_file_says_is_computed_or_refused_by_name() {
    let cases = cases();
    let read = |case: &Case, file: Vec<u8>| {
        let gguf = Gguf::open("tiny-00001-of-00003.gguf", Cursor::new(file)).map_err(|e| e.to_string())?;
        let mut engine =
            Engine::on_cpu(gguf, case.context, Precision::Fourteen).map_err(|error| error.to_string())?;
        Ok::<_, String>(logits(&mut engine, case))
    };
    for (index, (name, change, effect)) in changes().into_iter().enumerate() {
        let case = cases.iter().find(|case| case.name == name).expect("a case");
        let got = read(case, altered(name, change));
        let plain = || read(case, case.file.clone()).unwrap();
        match effect {
            Computed => {
                let got = got.unwrap_or_else(|error| panic!("change {index} of {name}: {error}"));
                assert!(got.iter().flatten().all(|logit| logit.is_finite()), "change {index} of {name}");
                assert!(nmse(&got[96], &plain()[96]) > 1e-4, "change {index} of {name} has no effect");
            }
            Harmless => assert_eq!(got.as_ref(), Ok(&plain()), "change {index} of {name}"),
            Refused(words) => {
                let error = got.expect_err(words);
                assert!(error.contains(words), "change {index} of {name}: {error}");
            }
        }
    }
}
