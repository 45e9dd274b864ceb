//! What a run prints, and BENCHMARKS.md made from it.

use anyhow::{Context, Result};
use xtask::paths::Paths;
use xtask::step::note;

use crate::document::{self, Section};
use crate::report::{MAIN, Report};
use crate::{contenders, costs, rounds, tables, thresholds};

/// BENCHMARKS.md with names in braces for what a run fills in.
const PAGE: &str = include_str!("../text/page.md");

/// What people say about the figures, as it is.
const REMARKS: &str = include_str!("../text/remarks.md");

/// Prints the tables; writes bench.json below the target directory, and BENCHMARKS.md.
pub(crate) fn write_whole(report: &Report, paths: &Paths) -> Result<()> {
    let json = document::merge(paths, &serde_json::to_value(report)?)?;
    print(report);
    note(format!("samples: {}", json.display()));
    write(report, paths)
}

/// For a run that is not whole: prints the tables; its JSON lies beside that of whole ones.
pub(crate) fn write_part(report: &Report, paths: &Paths) -> Result<()> {
    let path = paths.target.join("bench-part.json");
    std::fs::write(&path, serde_json::to_vec_pretty(report)?)
        .with_context(|| format!("could not write {}", path.display()))?;
    print(report);
    note(format!("not a whole run: BENCHMARKS.md stays as it is; samples: {}", path.display()));
    Ok(())
}

/// BENCHMARKS.md from this run, with what other runs wrote into it.
pub(crate) fn write(report: &Report, paths: &Paths) -> Result<()> {
    document::write_page(paths, |old| markdown(report, old))?;
    note("page: BENCHMARKS.md");
    Ok(())
}

fn print(report: &Report) {
    for part in [tables::rates(report), tables::ratios(report), tables::loads(report)] {
        println!("{part}");
    }
    println!("{}\n{}\n{}", thresholds::table(report), costs::roofline(report), costs::profile(report));
}

/// The page, with the parts of `old` that other runs wrote.
fn markdown(report: &Report, old: &str) -> String {
    let facts = facts(report).into_iter().chain([("remarks", REMARKS.trim_end().to_owned())]);
    let page = facts.fold(PAGE.to_owned(), |page, (name, fact)| page.replace(&format!("{{{name}}}"), &fact));
    page.replace("{gpu}", Section::Gpu.of(old)).replace("{types}", Section::Types.of(old))
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let Report { about, browser, wllama, llama, model, command, .. } = report;
    let agreed = report.agreement.get(&MAIN).map_or("", String::as_str);
    vec![
        ("model", model.name.clone()),
        ("file", model.file.clone()),
        ("bytes", model.bytes.to_string()),
        ("sha256", model.sha256.clone()),
        ("context", contenders::CONTEXT.to_string()),
        ("rounds", report.amount.rounds.to_string()),
        ("long_rounds", report.amount.rounds.min(rounds::LONG_ROUNDS).to_string()),
        ("chosen", report.chosen.build.clone()),
        ("chosen_reason", report.chosen.reason.clone()),
        ("rates", tables::rates(report)),
        ("ratios", tables::ratios(report)),
        ("loads", tables::loads(report)),
        ("thresholds", thresholds::table(report)),
        ("roofline", costs::roofline(report)),
        ("profile", costs::profile(report)),
        ("agreement", agreed.trim_end().to_owned()),
        ("common", tables::agreement(report)),
        ("command", command.clone()),
        ("date", about.date.clone()),
        ("commit", about.commit.clone()),
        ("processor", about.processor.clone()),
        ("cores", about.cores.to_string()),
        ("memory", about.memory.clone()),
        ("system", about.system.clone()),
        ("browser", browser.clone()),
        ("wllama", wllama.clone()),
        ("llama", llama.clone()),
        ("rust", about.rust.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use xtask::catalogue;

    use super::markdown;
    use crate::engines;
    use crate::report::Report;

    fn engine(decode: f64) -> Value {
        let sample = |prompt: u32| {
            json!({ "prefill": 2.0 * decode, "decode": decode, "text": "a", "prompt": prompt, "tokens": 64,
                "memory": 150_000_000 })
        };
        let load = json!({ "start_ms": 100.0, "cold_ms": 900.0, "cached_ms": 500.0, "first_ms": 600.0, "prompt": 16 });
        let answers = json!({ "32": [sample(32)], "128": [sample(128), sample(128)] });
        json!({ "answers": answers, "loads": [load] })
    }

    fn report() -> Report {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/catalogue.toml");
        let model = catalogue::read(path.as_ref()).unwrap().remove(0);
        let about = json!({ "date": "2026-01-02", "commit": "c", "processor": "p", "cores": 2, "memory": "m",
            "system": "s", "rust": "r" });
        let mut figures = json!({ "relaxed-simd-1": engine(60.0), "relaxed-simd-2": engine(90.0), "llama-1": engine(40.0) });
        let stage =
            |name: &str, ms: f64, product: bool| json!({ "name": name, "ms": ms, "product": product });
        let cpu = |matvec: f64| json!({ "cpu": { "stages": [stage("matvec", matvec, true), stage("attention", 1.0, false)], "bytes_per_token": 100_000_000 } });
        // The median counts, whatever one round was disturbed by.
        figures["relaxed-simd-1"]["profiles"] = json!([cpu(12.0), cpu(40.0), cpu(11.0)]);
        let chosen = json!({ "build": "engine-relaxed-threads", "reason": "It is fast." });
        serde_json::from_value(json!({
            "about": about, "browser": "b", "chosen": chosen, "wllama": "w", "llama": "l", "model": model, "command": "c", "threads": 2,
            "amount": { "rounds": 5, "lengths": [0, 4_294_967_295_u32] }, "engines": engines::all(2, true), "opened": {},
            "figures": figures, "agreement": { "128": "A text" },
            "reads": { "weights": 96_000_000, "cache_per_position": 23_040 },
            "bandwidth": [{ "threads": 1, "native": 20.0, "tab": 19.0 }],
        }))
        .unwrap()
    }

    #[test]
    fn the_page_is_filled_in_whole() {
        let page = markdown(&report(), "");
        assert!(!page.contains('{') && !page.contains('}'), "{page}");
        for expected in [
            "| Nibble, relaxed-simd | llama.cpp, native | 1 | 1.50 |",
            "over llama.cpp, native, threads: 1 | ≥ 1.20× | 1.50× | met |",
            "2 threads over 1 | ≥ 1.70× | 1.50× | **missed by 11.8 %** |",
            "| messages and event loop | 3.667 (22.0 %) |",
            "150.00 MB | met |",
        ] {
            assert!(page.contains(expected), "{expected} is not in:\n{page}");
        }
    }
}
