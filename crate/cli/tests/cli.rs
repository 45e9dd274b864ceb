//! The program as people run it: output, exit codes, and a sentence for every bad input.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Perplexity of `tests/golden/english.txt` by llama-perplexity's procedure, chunks of 512.
const LLAMA_SECOND_HALF: f64 = 25.189_805;

/// Runs `nibble` in the workspace's root, where the default model lies.
fn nibble(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    command.args(args).current_dir(tests::workspace()).output().unwrap()
}

fn model() -> String {
    tests::model().display().to_string()
}

/// Runs `nibble` with this on its standard input.
fn nibble_reading(args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    command.args(args).current_dir(tests::workspace());
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread: a program that answers while it reads would otherwise wait for us for ever.
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // It may rightly have stopped reading.
    let _ = writer.join().unwrap();
    output
}

fn json(args: &[&str]) -> Value {
    answer(args, &nibble(args))
}

fn answer(args: &[&str], output: &Output) -> Value {
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a failing run says, after checking that it failed as a program should.
fn refusal(args: &[&str], code: i32) -> String {
    refused(args, &nibble(args), code)
}

fn refused(args: &[&str], output: &Output, code: i32) -> String {
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
fn tco_quotes_the_articles_72_per_cent_as_a_discrepancy() {
    let report = json(&["tco", "--set", "demand.requests_per_month=5e6", "--json"]);
    assert!((report["saving_share"].as_f64().unwrap() - 0.745_19).abs() < 5e-6);
    assert_eq!(report["discrepancy"]["article"], 0.72);
    assert!((report["discrepancy"]["formula"].as_f64().unwrap() - 0.745_19).abs() < 5e-6);
}

#[test]
fn tco_names_every_bad_input_at_once() {
    let bad = file(
        "bad.toml",
        b"speed = 3\n[finance]\nhorizon = 36.5\n[cloud]\nusd_per_request = 2\nprice = 'daily'\n[edge]\ncapex = nan\nlifecycle = [1]\ncapx = 1\n",
    );
    let said = refusal(&["tco", "--input", text(&bad), "--set", "demand.peak_factor=much"], 2);
    for part in [
        "speed is not an input",
        "finance.horizon is 36.5; it must be a whole number from 1 to 120 (months)",
        "cloud.usd_per_request is 2; it must be a number from 0 to 1 ($ per request)",
        "cloud.price is “daily”; it must be one of per_request, per_token, per_second",
        "edge.capex is NaN",
        "edge.lifecycle is [1]",
        "edge.capx is not an input; known: edge.capex",
        "demand.peak_factor is “much”",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = refusal(&["tco", "--set", "demand.requests_per_month", "--json"], 2);
    assert!(said.contains("section.name=value"), "{said}");
    let broken = file("broken.toml", b"[cloud\n");
    assert!(refusal(&["tco", "--input", text(&broken)], 2).contains("broken.toml"));
    assert!(refusal(&["tco", "--input", "no-such-file.toml"], 1).contains("cannot read no-such-file.toml"));
    refusal(&["tco", "--json", "--csv"], 2);
}

#[test]
fn tco_reads_the_example_it_writes() {
    let sets =
        ["--set", "edge.fleet=sized", "--set", "cloud.price=per_token", "--set", "finance.hurdle_rate=0.1"];
    let example = nibble(&[&["tco", "--example"][..], &sets].concat());
    assert!(example.status.success());
    let path = file("example.toml", &example.stdout);
    let from_file = json(&["tco", "--input", text(&path), "--json"]);
    let given = json(&[&["tco", "--json"][..], &sets].concat());
    assert_eq!(from_file, given);
    assert_eq!(from_file["report"]["scenario"]["edge"]["fleet"], "sized");
    // What stands in the file gives way to what is said on the command line.
    let back = json(&["tco", "--input", text(&path), "--json", "--set", "finance.hurdle_rate=0"]);
    assert_eq!(back["report"]["scenario"]["finance"]["hurdle_rate"], 0.0);
}

/// Every form tells the same figures.
#[test]
fn tco_writes_a_table_and_a_report_of_one_file() {
    let set = ["--set", "demand.requests_per_month=5e6", "--set", "finance.hurdle_rate=0.1"];
    let report = json(&[&["tco", "--json"][..], &set].concat());
    let table = nibble(&[&["tco", "--csv"][..], &set].concat());
    let table = String::from_utf8(table.stdout).unwrap();
    let total = |deployment: &str| {
        let start = format!("total,{deployment},Total,,");
        let row = table.lines().find_map(|line| line.strip_prefix(&start)).unwrap();
        row.split(',').take(2).map(|cell| cell.parse::<f64>().unwrap()).collect::<Vec<f64>>()
    };
    for (index, name) in ["cloud", "edge", "endpoint", "browser", "hybrid"].into_iter().enumerate() {
        let wanted = &report["report"]["bills"][index]["total"];
        for (got, want) in total(name).iter().zip(["undiscounted", "present"]) {
            // Reading JSON may lose a last bit.
            assert!((got / wanted[want].as_f64().unwrap() - 1.0).abs() < 1e-12, "{name}: {got} {wanted}");
        }
    }
    assert_eq!(table.lines().filter(|line| line.starts_with("cumulative,edge,")).count(), 37);
    let html = nibble(&[&["tco", "--html"][..], &set].concat());
    assert!(html.status.success(), "{}", String::from_utf8_lossy(&html.stderr));
    let html = String::from_utf8(html.stdout).unwrap();
    assert!(html.contains("$135,000") && html.contains("Capacity unverified") && html.contains("</html>"));
    for fetched in ["<script", "http://", "https://", "src=", "url("] {
        assert!(!html.contains(fetched), "the report holds {fetched}");
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
    // What `cargo xtask model add` writes into the catalogue, where the page reads it.
    let catalogue = std::fs::read_to_string(tests::workspace().join("models/catalogue.toml")).unwrap();
    let entry = &catalogue.parse::<toml::Table>().unwrap()["model"][0];
    assert_eq!(inspected["needs"], serde_json::to_value(&entry["needs"]).unwrap());
    assert_eq!(inspected["license"], "apache-2.0");
    assert!(inspected["name"].is_string());
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

/// What a run says on standard error.
fn said(args: &[&str]) -> String {
    let output = nibble(&[args, &["--max-tokens", "1", "--json"]].concat());
    answer(args, &output);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn run_says_what_became_of_the_template_and_of_instructions() {
    let model = model();
    let run = |model: &str| said(&["run", "--prompt", "Hi", "--system", "Be brief.", "--model", model]);
    assert_eq!(run(&model), "");
    // The same model without its template, which its vocabulary calls for.
    let mut bytes = std::fs::read(&model).unwrap();
    let key = b"tokenizer.chat_template";
    let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
    bytes[at..][..key.len()].copy_from_slice(b"general.chat_template_x");
    let nameless = file("without-template.gguf", &bytes);
    let noted = run(text(&nameless));
    assert!(noted.contains("no chat template; its vocabulary is that of the ChatML family"), "{noted}");
    assert!(!noted.contains("system prompt"), "{noted}");
    std::fs::remove_file(nameless).unwrap();
    // A tiny model of which nothing is known, and one whose template takes no instructions.
    let tiny = |name: &str, template: Option<&str>| {
        let bytes = tests::architectures::altered("llama", |case| {
            if let Some(template) = template {
                case["general"]["tokenizer.chat_template"] = template.into();
            }
        });
        file(name, &bytes)
    };
    let noted = run(text(&tiny("plain.gguf", None)));
    assert!(noted.contains("no chat template: it is read as plain text"), "{noted}");
    let strict = "{% if messages[0].role == 'system' %}{{ raise_exception('no') }}{% endif %}\
                  {% for message in messages %}{{ message.content }}{% endfor %}";
    let noted = run(text(&tiny("strict.gguf", Some(strict))));
    assert_eq!(
        noted,
        "The model takes no system prompt: the instructions were put in front of the first turn.\n"
    );
}

#[test]
fn perplexity_scores_a_text() {
    let text_file = file("line.txt", b"The sun rises in the east and sets in the west.");
    let scored = json(&["perplexity", text(&text_file), "--model", &model(), "--json"]);
    assert_eq!(scored["scored"].as_u64().unwrap() + 1, scored["tokens"].as_u64().unwrap());
    assert!((1.0..1000.0).contains(&scored["perplexity"].as_f64().unwrap()));
    let short = file("short.txt", b"a");
    assert!(refusal(&["perplexity", text(&short), "--model", &model()], 1).contains("needs at least 2"));
    assert!(
        refusal(&["perplexity", text(&short), "--second-half", "--model", &model()], 1)
            .contains("needs at least 512")
    );
    let binary = file("binary.txt", b"\xff\xfe\x00");
    assert!(refusal(&["perplexity", text(&binary), "--model", &model()], 1).contains("is not UTF-8 text"));
}

/// Within 1 % of llama.cpp's, by the golden's procedure.
#[test]
fn perplexity_of_the_golden_text_is_llama_cpps() {
    let golden = tests::workspace().join("tests/golden");
    let want: Value =
        serde_json::from_slice(&std::fs::read(golden.join("perplexity.json")).unwrap()).unwrap();
    let english = golden.join("english.txt");
    let got = json(&["perplexity", text(&english), "--model", &model(), "--json"]);
    for count in ["tokens", "scored", "chunk"] {
        assert_eq!(got[count], want[count], "{count}");
    }
    let ratio = got["perplexity"].as_f64().unwrap() / want["perplexity"].as_f64().unwrap();
    assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
}

/// By the procedure of llama-perplexity: computed from llama-cpp-python 0.3.36's logits of the golden text.
#[test]
fn perplexity_of_second_halves_is_llama_cpps() {
    let english = tests::workspace().join("tests/golden/english.txt");
    let got = json(&["perplexity", text(&english), "--second-half", "--model", &model(), "--json"]);
    assert_eq!((got["scored"].as_u64(), got["chunk"].as_u64()), (Some(255), Some(512)));
    let ratio = got["perplexity"].as_f64().unwrap() / LLAMA_SECOND_HALF;
    assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
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
    // A wrong flag is told before the model is opened.
    let said = refusal(&["run", "--model", "none.gguf", "--prompt", "x", "--top-p", "1.5"], 2);
    assert!(said.contains("top-p is 1.5; it must be above 0 and at most 1"), "{said}");
}

#[test]
fn a_megabyte_of_emoji_is_tokenised_and_refused_as_a_prompt() {
    let model = model();
    let emoji = "😀".repeat(250_000);
    let args = ["tokenize", "--model", &model, "--json"];
    let tokens = answer(&args, &nibble_reading(&args, emoji.as_bytes()));
    assert!(tokens["count"].as_u64().unwrap() >= 250_000);
    let args = ["run", "--model", &model, "--prompt", "-"];
    let said = refused(&args, &nibble_reading(&args, emoji.as_bytes()), 1);
    assert!(said.contains("and the context holds 2048"), "{said}");
    let args = ["tokenize", "--model", &model];
    assert!(refused(&args, &nibble_reading(&args, b"\xff"), 1).contains("is not UTF-8 text"));
}

#[test]
fn without_the_default_model_the_command_that_fetches_it_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    let output = command.arg("inspect").current_dir(env!("CARGO_TARGET_TMPDIR")).output().unwrap();
    assert!(refused(&["inspect"], &output, 1).contains("cargo xtask model fetch"));
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.args(["tco", "--json"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn bench_says_which_percentiles_have_samples_enough() {
    let model = model();
    let measured =
        json(&["bench", "--prefill", "8", "--decode", "16", "--runs", "3", "--model", &model, "--json"]);
    assert_eq!((&measured["runs"], &measured["origin"]), (&2.into(), &"measured".into()));
    // Two runs of sixteen tokens are thirty gaps: enough for P90, which needs 29, and not for P99.
    let gaps = &measured["inter_token_ms"];
    assert_eq!(gaps["samples"], 30);
    assert!(gaps["p50"].as_f64() <= gaps["p90"].as_f64() && gaps["p90"].is_number());
    assert!(gaps["p99"].is_null());
    assert!(measured["decode"]["median"].as_f64().unwrap() > 0.0);
}

/// Kernels that every adapter runs, so that nothing is measured first.
const PLAIN: &str = "workgroup-float-64x1x1";

/// Needs an adapter, at least Mesa's lavapipe, which `cargo xtask setup` installs.
#[test]
fn the_gpu_answers_and_scores_as_the_processor_does() {
    let model = model();
    let gpu = ["--backend", "gpu", "--variant", PLAIN];
    let ask = ["run", "--prompt", "Name a colour.", "--max-tokens", "12", "--model", &model, "--json"];
    // A GPU rounds no activations.
    let on_cpu = json(&[&ask[..], &["--reading", "14"]].concat());
    let on_gpu = json(&[&ask[..], &gpu].concat());
    assert_eq!(on_cpu["backend"]["name"], "cpu-simd");
    let backend = &on_gpu["backend"];
    assert_ne!(backend["name"], "cpu-simd");
    assert_eq!((&backend["variant"], &backend["check"]["tokens"]), (&PLAIN.into(), &16.into()), "{backend}");
    assert!(!backend["adapter"].as_str().unwrap().is_empty());
    assert_eq!(on_cpu["answer"], on_gpu["answer"]);

    let text_file = file("gpu-line.txt", b"The sun rises in the east and sets in the west.");
    let score = ["perplexity", text(&text_file), "--model", &model, "--json"];
    let perplexity = |args: &[&str]| json(args)["perplexity"].as_f64().unwrap();
    let ratio =
        perplexity(&[&score[..], &gpu].concat()) / perplexity(&[&score[..], &["--reading", "14"]].concat());
    assert!((ratio - 1.0).abs() < 0.005, "{ratio}");
}

#[test]
fn bench_on_the_gpu_says_what_a_token_costs() {
    let model = model();
    let sizes = ["bench", "--prefill", "8", "--decode", "6", "--runs", "2", "--model", &model, "--json"];
    let measured = json(&[&sizes[..], &["--backend", "gpu", "--variant", PLAIN]].concat());
    assert_eq!((&measured["kernels"], measured["answer_ids"].as_array().unwrap().len()), (&PLAIN.into(), 6));
    let gpu = &measured["gpu"];
    let number = |key: &str| gpu[key].as_f64().unwrap_or_else(|| panic!("{key} in {gpu}"));
    // Six dispatches a layer and what begins and ends a token; the default model has thirty layers.
    assert!((30.0..=186.0).contains(&number("dispatches_per_token")), "{gpu}");
    assert!(number("passes_per_token") <= 1.0 && number("submits_per_token") <= 1.0, "{gpu}");
    assert!((4.0..=64.0).contains(&number("readback_bytes_per_token")), "{gpu}");
    // Every weight of the file is read, and nothing of it twice.
    assert!((0.09..0.12).contains(&number("gigabytes_per_token")), "{gpu}");
    assert!(number("gigabytes_per_s") > 0.0 && number("copy_gigabytes_per_s") > 0.0, "{gpu}");
    for kernel in gpu["kernels"].as_array().unwrap() {
        assert!(kernel["ms_per_token"].as_f64().unwrap() >= 0.0 && kernel["kernel"].is_string(), "{gpu}");
    }
    assert!(json(&sizes)["gpu"].is_null());
}

#[test]
fn a_gpu_that_cannot_be_had_is_told_and_never_replaced_in_silence() {
    let said = refusal(&["run", "--prompt", "x", "--variant", PLAIN], 2);
    assert!(said.contains("add --backend gpu"), "{said}");
    let said = refusal(&["bench", "--backend", "gpu", "--variant", "fast"], 2);
    assert!(said.contains("variant is fast; it must be like workgroup-float-"), "{said}");
    if cfg!(target_os = "linux") {
        let model = model();
        let without = |backend: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
            command.args(["run", "--prompt", "Hello", "--max-tokens", "2", "--model", &model]);
            command.args(["--backend", backend]).current_dir(tests::workspace());
            // Vulkan's loader looks for drivers here and nowhere else.
            command.env("VK_DRIVER_FILES", "/none").env("VK_ICD_FILENAMES", "/none").output().unwrap()
        };
        let said = refused(&["run", "--backend", "gpu"], &without("gpu"), 1);
        assert!(said.contains("no adapter was found") && said.contains("mesa-vulkan-drivers"), "{said}");
        let automatic = without("auto");
        let said = String::from_utf8_lossy(&automatic.stderr).into_owned();
        assert!(
            automatic.status.success() && said.contains("cpu-simd: no GPU: no adapter was found"),
            "{said}"
        );
    }
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
