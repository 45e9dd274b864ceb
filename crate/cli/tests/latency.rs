//! `nibble bench --latency` as people run it: the same figures in the table, JSON and CSV.

use std::path::PathBuf;
use std::process::{Command, Output};

use latency::export::{Export, Imported};
use latency::stats::Measured;
use serde_json::Value;

fn bench(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    command.args(["bench", "--latency"]).args(args).current_dir(tests::workspace()).output().unwrap()
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn read(text: &str) -> Export<Measured> {
    match Imported::read(text).unwrap() {
        Imported::Measured(export) => export,
        Imported::Simulated(_) => panic!("measured samples came back as simulated"),
    }
}

#[test]
fn table_json_and_csv_hold_the_same_figures() {
    let model = tests::model().display().to_string();
    let csv = file("latency.csv");
    let json = file("latency.json");
    let csv_name = csv.display().to_string();
    let json_name = json.display().to_string();
    let short = ["--model", &model, "--answers", "6", "--max-tokens", "3"];
    let output = bench(&[&short[..], &["--csv", &csv_name, "--export", &json_name]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    let text = std::fs::read_to_string(&json).unwrap();
    let from_json = read(&text);
    let from_csv = read(&std::fs::read_to_string(&csv).unwrap());
    assert_eq!(from_json, from_csv);
    assert_eq!(from_json.runs.len(), 6);
    let categories: Vec<_> = from_json.runs.iter().map(|run| run.category.id()).collect();
    assert_eq!(categories[0], categories[5], "five categories in turn");
    assert!(from_json.runs.iter().all(|run| !run.arrivals_ms.is_empty() && run.prompt_tokens > 20));
    // Its figures are those of the raw samples, and the table's.
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let row = from_json.summary().ttft.row();
    assert_eq!(parsed["summary"]["ttft"], serde_json::to_value(row).unwrap());
    let line = table.lines().find(|line| line.starts_with("time to first token")).unwrap();
    let cells: Vec<_> = line.split_whitespace().skip(4).collect();
    assert_eq!(cells[..2], ["6".to_owned(), format!("{:.1}", row.mean_ms.unwrap().0)]);
    assert_eq!(cells[3..], ["-"; 3], "six answers are too few for P90");
    assert!(table.contains("6 answers are too few, it needs 29"), "{table}");

    // An earlier export stands below.
    let output = bench(&[&short[..], &["--compare", &csv_name]].concat());
    let both = String::from_utf8(output.stdout).unwrap();
    assert!(both.contains("Earlier export:") && both.contains(line), "{both}");
}

#[test]
fn what_cannot_be_compared_or_asked_for_is_refused() {
    let path = file("no-export.json");
    std::fs::write(&path, "{\"schema\": \"nibble-latency/9\"}").unwrap();
    let output = bench(&["--compare", &path.display().to_string()]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("no-export.json: is no latency export: the schema is \"nibble-latency/9\""),
        "{said}"
    );
    for bad in [["--percentile", "100"], ["--within", "0"], ["--answers", "0"]] {
        assert_eq!(bench(&bad).status.code(), Some(2), "{bad:?}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_nibble"));
    let without = command.args(["bench", "--csv", "x.csv"]).output().unwrap();
    assert_eq!(without.status.code(), Some(2), "--csv without --latency would do nothing");
}
