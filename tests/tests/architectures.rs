//! Every architecture on tiny models of random weights against llama.cpp's logits.

use std::io::Cursor;

use engine::gguf::Gguf;
use engine::{Engine, block_on};
use tests::architectures::{Case, cases, nmse};

/// Error of the processor's logits at a position: keys and values of fourteen bits here and floats there, GELU by a
/// table of halves there. Measured: 1.5e-7 at most.
const PROCESSOR: f64 = 1e-6;

/// The engine's logits at every position.
fn logits(engine: &mut Engine, case: &Case) -> Vec<Vec<f32>> {
    let mut all = Vec::new();
    block_on(engine.logits(&case.tokens, &mut |_, logits| all.push(logits.to_vec()))).unwrap();
    all
}

/// Checks one backend on every case.
fn check(most: f64, load: impl Fn(&Case) -> Engine) {
    let mut worst = 0.0f64;
    for case in cases() {
        let got = logits(&mut load(&case), &case);
        let errors = case.logits.iter().map(|(position, want)| nmse(&got[*position], want));
        let error = errors.fold(0.0, f64::max);
        println!("{}: NMSE {error:.1e}", case.name);
        assert!(error.is_finite(), "{}", case.name);
        worst = worst.max(error);
    }
    assert!(worst <= most, "logits differ from llama.cpp's: NMSE {worst:.1e}");
}

#[test]
fn the_processors_logits_are_the_references() {
    check(PROCESSOR, |case| {
        let gguf = Gguf::open("tiny.gguf", Cursor::new(case.file.clone())).unwrap();
        Engine::on_cpu(gguf, case.context).unwrap()
    });
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
