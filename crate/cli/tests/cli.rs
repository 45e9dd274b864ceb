//! The program as people run it: output, exit codes, and a sentence for every bad input.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs `nibble` in the workspace's root, where the default model lies.
fn nibble(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    command.args(args).current_dir(tests::workspace()).output().unwrap()
}

fn model() -> String {
    tests::model().display().to_string()
}

fn json(args: &[&str]) -> Value {
    let output = nibble(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a failing run says, after checking that it failed as a program should.
fn refusal(args: &[&str], code: i32) -> String {
    let output = nibble(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?} printed a result");
    assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "{said}");
    said
}

/// A file of these bytes in a folder of this test's own.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn tco_gives_the_articles_example() {
    let report = json(&["tco", "--json"]);
    let number = |key: &str| report[key].as_f64().unwrap();
    assert_eq!((number("cloud"), number("edge"), number("saving")), (54_000.0, 34_400.0, 19_600.0));
    assert_eq!(number("tipping_volume").floor(), 1_274_074.0);
    assert_eq!(report["break_even"]["month"], 19);
    assert!((number("saving_share") - 0.362_96).abs() < 5e-6);
}

#[test]
fn tco_names_every_bad_input_at_once() {
    let said = refusal(&["tco", "--horizon", "0", "--usd-per-request", "2", "--capex", "1e300"], 1);
    for part in ["horizon is 0; it must be a number from 1 to 120", "usd_per_request is 2", "capex is"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn tokenize_and_inspect_read_the_real_model() {
    let model = model();
    let tokens = json(&["tokenize", "Hello 2024 <|im_end|> 😀", "--model", &model, "--json"]);
    assert_eq!(
        tokens["ids"],
        serde_json::json!([19556, 216, 34, 32, 34, 36, 2067, 108, 306, 79, 486, 108, 46, 40303, 218])
    );
    let parsed = json(&["tokenize", "<|im_end|>", "--special", "--model", &model, "--json"]);
    assert_eq!(parsed["ids"], serde_json::json!([2]));
    let inspected = json(&["inspect", &model, "--json"]);
    assert_eq!(inspected["architecture"], "llama");
    assert_eq!(inspected["layers"], 30);
    assert_eq!(
        inspected["types"][0],
        serde_json::json!({ "type": "Q4_1", "tensors": 210, "bytes": 66_355_200 })
    );
}

#[test]
fn run_answers_and_a_seed_gives_one_answer() {
    let model = model();
    let ask = |seed: &str| {
        let args =
            ["run", "--prompt", "Name a colour.", "--max-tokens", "12", "--temperature", "1", "--seed", seed];
        json(&[&args[..], &["--model", &model, "--json"]].concat())
    };
    let first = ask("5");
    assert!(!first["answer"].as_str().unwrap().is_empty());
    assert_eq!(first["answer"], ask("5")["answer"]);
    assert_eq!(first["origin"], "measured");
    assert!(first["ttft_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn perplexity_scores_a_text() {
    let text_file = file("line.txt", b"The sun rises in the east and sets in the west.");
    let scored = json(&["perplexity", text(&text_file), "--model", &model(), "--json"]);
    assert_eq!(scored["scored"].as_u64().unwrap() + 1, scored["tokens"].as_u64().unwrap());
    assert!((1.0..1000.0).contains(&scored["perplexity"].as_f64().unwrap()));
    let short = file("short.txt", b"a");
    assert!(refusal(&["perplexity", text(&short), "--model", &model()], 1).contains("needs at least 2"));
    let binary = file("binary.txt", b"\xff\xfe\x00");
    assert!(refusal(&["perplexity", text(&binary), "--model", &model()], 1).contains("is not UTF-8 text"));
}

#[test]
fn files_that_are_no_model_are_refused_by_name() {
    let whole = std::fs::read(tests::model()).unwrap();
    let cut = |percent: usize| &whole[..whole.len() / 100 * percent];
    let cases: [(&str, &[u8], &str); 5] = [
        ("empty.gguf", b"", "the file is empty"),
        ("picture.gguf", b"\x89PNG\r\n\x1a\n0000000000000000", "PNG image"),
        ("cut-1.gguf", cut(1), "fetch the file again"),
        ("cut-50.gguf", cut(50), "fetch the file again"),
        ("cut-99.gguf", cut(99), "fetch the file again"),
    ];
    for (name, bytes, cause) in cases {
        let path = file(name, bytes);
        for command in [&["inspect"][..], &["run", "--prompt", "hi"], &["tokenize", "hi"], &["bench"]] {
            let said = refusal(&[command, &["--model", text(&path)]].concat(), 1);
            assert!(said.contains(name) && said.contains(cause), "{said}");
        }
        std::fs::remove_file(path).unwrap();
    }
    assert!(
        refusal(&["inspect", "no-such-file.gguf"], 1).contains("no-such-file.gguf: there is no such file")
    );
    assert!(refusal(&["inspect", "tests"], 1).contains("this is a folder"));
}

#[test]
fn prompts_that_cannot_be_answered_are_refused() {
    let model = model();
    let run = |prompt: &str, context: &str| {
        refusal(&["run", "--model", &model, "--context", context, "--prompt", prompt], 1)
    };
    assert!(run(" ", "64").contains("it is empty"));
    assert!(run(&"word ".repeat(200), "64").contains("and the context holds 64"));
    // One argument may hold 128 kB; the megabyte is the engine's test.
    assert!(run(&"😀".repeat(30_000), "2048").contains("and the context holds 2048"));
    let said = refusal(&["run", "--model", &model, "--prompt", "x", "--top-p", "1.5"], 1);
    assert!(said.contains("top-p is 1.5; it must be above 0 and at most 1"), "{said}");
}

#[test]
fn bad_usage_exits_with_2_and_help_has_examples() {
    refusal(&["no-such-command"], 2);
    refusal(&["run"], 2);
    for command in ["run", "tokenize", "perplexity", "inspect", "bench", "tco"] {
        let help = nibble(&[command, "--help"]);
        assert!(help.status.success());
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        assert!(help.contains("Examples:") && help.contains("--json"), "{help}");
    }
}
