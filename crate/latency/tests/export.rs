//! What is exported is what is imported, and nothing else is.

use latency::Ms;
use latency::cloud::{Cloud, Connection, Request};
use latency::corpus;
use latency::export::{Context, Export, ExportError, Imported, Run};
use latency::presets;
use latency::stats::{Measured, Simulated};

fn context() -> Context {
    Context {
        device: "=HYPERLINK(\"x\"), \"quoted\" é😀".into(),
        browser: "@browser 1".into(),
        backend: "SIMD".into(),
        build: "0.1.0".into(),
        model: "-model".into(),
        at_unix_ms: 1_764_000_000_000,
        seed: Some(u64::MAX),
    }
}

/// An answer a prompt, of the simulated times but of any origin.
fn runs() -> Vec<Run> {
    let preset = presets::all().remove(0);
    let cloud = Cloud::new(&preset).unwrap();
    let ask = Request { prompt_bytes: 0, prompt_tokens: 9, output_tokens: 12, connection: Connection::Warm };
    let mut runs: Vec<Run> = (0..)
        .zip(corpus::prompts())
        .map(|(run, prompt)| {
            let arrivals = cloud.simulate(&ask, 1, run).arrivals;
            Run::new(&prompt.id, prompt.category, run as u32, 9, &arrivals)
        })
        .collect();
    runs[2].hidden = true;
    runs[3].arrivals_ms.clear();
    runs
}

fn measured() -> Export<Measured> {
    Export { origin: Measured, context: context(), runs: runs() }
}

#[test]
fn json_and_csv_come_back_to_the_bit() {
    let measured = measured();
    for text in [measured.to_json().unwrap(), measured.to_csv().unwrap()] {
        assert_eq!(Imported::read(&text), Ok(Imported::Measured(measured.clone())));
    }
    let simulated = Export {
        origin: Simulated { preset: "nearby-region".into(), seed: 7 },
        context: context(),
        runs: runs(),
    };
    for text in [simulated.to_json().unwrap(), simulated.to_csv().unwrap()] {
        assert_eq!(Imported::read(&text), Ok(Imported::Simulated(simulated.clone())));
    }
}

#[test]
fn hidden_and_unanswered_runs_are_kept_and_not_counted() {
    let measured = measured();
    assert_eq!(
        (measured.runs.len(), measured.counted().count(), measured.summary().ttft.count()),
        (15, 14, 13)
    );
    let json: serde_json::Value = serde_json::from_str(&measured.to_json().unwrap()).unwrap();
    assert_eq!(json["schema"], "nibble-latency/1");
    assert_eq!(json["origin"]["kind"], "measured");
    assert_eq!(json["summary"]["ttft"]["samples"], 13);
    assert!(json["summary"]["ttft"]["p90_ms"].is_null(), "13 samples are too few");
    assert_eq!(json["summary"]["ttft"]["p50_ms"], measured.summary().ttft.percentile(0.5).unwrap().0);
}

#[test]
fn no_cell_of_the_csv_is_a_formula() {
    let csv = measured().to_csv().unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        }
    }
}

fn refusal(text: &str) -> String {
    Imported::read(text).unwrap_err().to_string()
}

#[test]
fn what_is_no_export_is_refused_with_its_cause() {
    let json = measured().to_json().unwrap();
    let csv = measured().to_csv().unwrap();
    let changed = |from: &str, to: &str| json.replacen(from, to, 1);
    for (text, says) in [
        (String::new(), "the schema is \"\"; this version reads \"nibble-latency/1\""),
        ("{}".into(), "the schema is \"\""),
        (changed("latency/1", "latency/2"), "the schema is \"nibble-latency/2\""),
        (changed("\"context\":{", "\"context\":{\"x\":1,"), "line 1: unknown field `x`"),
        (changed("\"hidden\":false", "\"hidden\":0"), "line 1: invalid type: integer `0`"),
        (json[..json.len() / 2].to_owned(), "line 1: EOF"),
        (changed("\"measured\"", "\"guessed\""), "line 1: unknown variant `guessed`"),
        (csv.replacen("nibble-latency/1", "other/1", 1), "the schema is \"other/1\""),
        (csv.replacen(",9,false,", ",no,false,", 1), "line 2: CSV deserialize error"),
        (csv.lines().next().unwrap().to_owned(), "line 1: there is no sample"),
        ("a,b\n1,2".into(), "the schema is \"a\""),
    ] {
        let said = refusal(&text);
        assert!(said.starts_with(says), "{said}, not {says}");
    }
    let mut lines: Vec<&str> = csv.lines().collect();
    lines.swap(2, 3);
    assert!(refusal(&lines.join("\n")).contains("does not follow the one in the line before"));
    let device = csv.rfind("0.1.0").unwrap();
    let mixed = format!("{}9{}", &csv[..device], &csv[device + 1..]);
    assert!(refusal(&mixed).contains("another device, build or origin"));
}

#[test]
fn every_value_out_of_range_is_named_at_once() {
    let mut broken = measured();
    broken.context.device = "a\nb".into();
    broken.runs[0].arrivals_ms[3] = Ms(f64::NAN);
    broken.runs[1].arrivals_ms[2] = Ms(0.5);
    broken.runs[4].prompt = "x".repeat(501);
    let Err(ExportError::Values(problems)) = broken.to_json() else { panic!("it must be refused") };
    let keys: Vec<_> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        ["context.device", "runs[0].arrivals_ms[3]", "runs[1].arrivals_ms[2]", "runs[4].prompt"]
    );
    let said = ExportError::Values(problems).to_string();
    assert!(said.contains("runs[1].arrivals_ms[2] is 0.5; it must be a time from 0 ms to a day"), "{said}");
}
