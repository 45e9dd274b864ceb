//! The thresholds that the processor path is measured against, and whether this run met them.

use std::fmt::Write;

use crate::report::Report;
use crate::rounds::Figures;
use crate::samples::Spread;
use crate::{costs, rounds};

/// Our plain build, and the peers, by the beginning of their ids.
const PLAIN: &str = "simd128";
const NATIVE: &str = "llama";
const WEB: &str = "wllama";

/// Tokens of the prompt that the thresholds are about.
const PROMPT: u32 = 128;

/// Share of a token's time that no stage but the matrix products may take.
const SHARE: f64 = 0.15;

/// One figure and the value that it shall reach, or stay below.
struct Threshold {
    name: String,
    wanted: f64,
    /// Whether less is better.
    most: bool,
    unit: &'static str,
    measured: Option<f64>,
}

impl Threshold {
    fn at_least(name: String, wanted: f64, measured: Option<f64>) -> Self {
        Self { name, wanted, most: false, unit: "×", measured }
    }

    fn at_most(name: String, wanted: f64, unit: &'static str, measured: Option<f64>) -> Self {
        Self { name, wanted, most: true, unit, measured }
    }

    /// Whether it is met, and how far it is.
    fn verdict(&self) -> String {
        let Some(measured) = self.measured else { return "not measured".to_owned() };
        let ratio = measured / self.wanted;
        let (met, off) = if self.most { (ratio <= 1.0, ratio - 1.0) } else { (ratio >= 1.0, 1.0 - ratio) };
        if met { "met".to_owned() } else { format!("**missed by {:.1} %**", 100.0 * off) }
    }
}

type Of = fn(&Figures, u32) -> Option<Spread>;

/// One engine's median over another's.
fn ratio(report: &Report, of: Of, ours: &str, our_threads: u32, peer: &str, threads: u32) -> Option<f64> {
    let median = |id: &str, threads: u32| {
        of(report.of(&format!("{id}-{threads}"))?, PROMPT).map(|spread| spread.median)
    };
    Some(median(ours, our_threads)? / median(peer, threads)?)
}

fn speeds(report: &Report, fast: &str) -> Vec<Threshold> {
    let many = report.threads;
    let against = |speed: &str, of: Of, ours: &str, peer: &str, threads: u32, wanted: f64| {
        let peer_name = if peer == NATIVE { "llama.cpp, native" } else { "wllama" };
        let name = format!("{speed}, {ours} over {peer_name}, threads: {threads}");
        Threshold::at_least(name, wanted, ratio(report, of, ours, threads, peer, threads))
    };
    let decode: Of = Figures::decode;
    let prefill: Of = Figures::prefill;
    let scaling = ratio(report, decode, fast, many, fast, 1);
    let mut thresholds = vec![
        against("decode", decode, fast, NATIVE, 1, 1.2),
        against("decode", decode, fast, WEB, 1, 7.0),
        against("decode", decode, fast, NATIVE, many, 1.2),
        Threshold::at_least(format!("decode, {fast}, {many} threads over 1"), 1.7, scaling),
        against("decode", decode, PLAIN, NATIVE, 1, 0.9),
    ];
    for threads in [1, many] {
        thresholds.push(against("prefill of 128", prefill, fast, NATIVE, threads, 1.0));
        thresholds.push(against("prefill of 128", prefill, fast, WEB, threads, 10.0));
    }
    thresholds
}

fn others(report: &Report, fast: &str) -> Vec<Threshold> {
    let many = report.threads;
    let first = report
        .of(&format!("{fast}-{many}"))
        .and_then(|figures| figures.load(|load| Some(load.first_ms)).map(|spread| spread.median / 1e3));
    let short = rounds::SHORT;
    let name = format!("stored file to first token of a {short}-token prompt, {fast}, threads: {many}");
    let mut thresholds = vec![Threshold::at_most(name, 1.0, " s", first)];
    let room = 1.25 * report.model.bytes as f64 + report.cache_bytes() as f64;
    for threads in [1, many] {
        let memory = report.of(&format!("{fast}-{threads}")).and_then(Figures::memory);
        let measured = memory.map(|bytes| bytes as f64 / 1e6);
        let name = format!("peak memory, {fast}, threads: {threads} (1.25 × file + cache)");
        thresholds.push(Threshold::at_most(name, room / 1e6, " MB", measured));
        let share = costs::largest_other(report, &format!("{fast}-{threads}"));
        let named = share.as_ref().map_or(String::new(), |(stage, _)| format!(" ({stage})"));
        let name = format!("largest share of a token outside matrix products, threads: {threads}{named}");
        thresholds.push(Threshold::at_most(name, 100.0 * SHARE, " %", share.map(|(_, share)| 100.0 * share)));
    }
    thresholds
}

/// Every threshold with what was measured.
pub(crate) fn table(report: &Report) -> String {
    let mut table = String::from("| bar | wanted | measured | |\n|---|---|---|---|\n");
    // What a visitor of this machine gets; where that build took no part, its thresholds are not measured.
    let fast = report.chosen().unwrap_or(&report.chosen.build);
    for threshold in speeds(report, fast).into_iter().chain(others(report, fast)) {
        let Threshold { name, wanted, most, unit, measured } = &threshold;
        let sign = if *most { "≤" } else { "≥" };
        let measured = measured.map_or("–".to_owned(), |value| format!("{value:.2}{unit}"));
        let _ =
            writeln!(table, "| {name} | {sign} {wanted:.2}{unit} | {measured} | {} |", threshold.verdict());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::Threshold;

    #[test]
    fn a_threshold_says_by_how_much_it_is_missed() {
        let least = |measured| Threshold::at_least("a".into(), 2.0, measured).verdict();
        assert_eq!(least(Some(2.0)), "met");
        assert_eq!(least(Some(1.5)), "**missed by 25.0 %**");
        assert_eq!(least(None), "not measured");
        let most = |measured| Threshold::at_most("a".into(), 2.0, " s", Some(measured)).verdict();
        assert_eq!(most(1.9), "met");
        assert_eq!(most(2.5), "**missed by 25.0 %**");
    }
}
