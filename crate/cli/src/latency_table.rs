//! Latency in a terminal.

use anyhow::Result;
use latency::Ms;
use latency::corpus::{Category, mean, overall};
use latency::export::{Export, Tag};
use latency::interval::{Interval, Next};
use latency::objective::Attainment;
use latency::presets;
use latency::stats::{Measured, Metrics, Origin, Row, samples_needed};

use crate::output;

/// Every metric, every category and every objective of these samples.
pub(crate) fn print<O: Origin>(export: &Export<O>) -> Result<()>
where
    for<'a> Tag: From<&'a O>,
{
    let context = &export.context;
    let place = [&context.model, &context.backend, &context.device, &context.browser, &context.build];
    let place: Vec<_> =
        place.into_iter().filter(|part| !part.is_empty()).map(|part| output::plain(part)).collect();
    output::line(place.join(" · "))?;
    output::line("answers one after the other (closed loop), warm-up left out; ms")?;
    let head = ["samples", "mean", "P50", "P90", "P95", "P99"];
    output::line(format_args!("{:<22}{}", "", head.map(|name| format!("{name:>10}")).concat()))?;
    let summary = export.summary();
    for (name, row) in [
        ("time to first token", summary.ttft.row()),
        ("between tokens", summary.inter_token.row()),
        ("per output token", summary.tpot.row()),
        ("end to end", summary.end_to_end.row()),
    ] {
        output::line(format_args!("{name:<22}{}", cells(&row)))?;
    }
    output::line("-: too few samples (P50 needs 5, P90 29, P95 59, P99 299)")?;
    let answers: Vec<_> = export.counted().filter_map(|run| Some((run.category, run.metrics()?))).collect();
    print_categories(&answers)?;
    print_objectives(export.counted().map(|run| run.metrics()))
}

fn cells(row: &Row) -> String {
    let Row { samples, mean_ms, p50_ms, p90_ms, p95_ms, p99_ms, .. } = row;
    let times = [mean_ms, p50_ms, p90_ms, p95_ms, p99_ms]
        .map(|time| time.map_or("-".to_owned(), |Ms(ms)| format!("{ms:.1}")));
    format!("{samples:>10}{}", times.map(|time| format!("{time:>10}")).concat())
}

/// Means within each category, and the geometric mean of all five.
fn print_categories(answers: &[(Category, Metrics)]) -> Result<()> {
    let firsts: Vec<_> = answers.iter().map(|(category, answer)| (*category, answer.ttft.0)).collect();
    let rate = |answer: &Metrics| answer.tpot.filter(|tpot| tpot.0 > 0.0).map(|tpot| 1e3 / tpot.0);
    let rates: Vec<_> = answers.iter().filter_map(|(c, answer)| Some((*c, rate(answer)?))).collect();
    let told = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    output::line(format_args!("{:<22}{:>20}{:>20}", "", "first token, ms", "tokens/s after it"))?;
    for category in Category::ALL {
        let first = told(mean(&firsts, category));
        let rate = told(mean(&rates, category));
        output::line(format_args!("{:<22}{first:>20}{rate:>20}", category.label()))?;
    }
    let first = told(overall(&firsts));
    let rate = told(overall(&rates));
    output::line(format_args!("{:<22}{first:>20}{rate:>20}", "geometric mean"))
}

fn print_objectives(answers: impl Iterator<Item = Option<Metrics>> + Clone) -> Result<()> {
    let busy = Ms(answers.clone().flatten().map(|answer| answer.end_to_end.0).sum());
    for slo in presets::slos() {
        let mut attainment = Attainment::default();
        answers.clone().for_each(|answer| attainment.record(&slo, answer.as_ref()));
        let share = attainment.share().map_or("-".to_owned(), |share| format!("{:.0} %", share * 100.0));
        let goodput = attainment.goodput(busy).map_or("-".to_owned(), |rate| format!("{:.2}/s", rate.0));
        let Attainment { met, requests } = attainment;
        let verdict = match attainment.holds(&slo) {
            Some(true) => "holds".to_owned(),
            Some(false) => "does not hold".to_owned(),
            None => format!("needs {} answers for a verdict", samples_needed(slo.share)),
        };
        output::line(format_args!(
            "{}: {met} of {requests} ({share}), goodput {goodput}; {verdict}",
            slo.label
        ))?;
    }
    Ok(())
}

/// The percentile of the time to the first token that was asked for, and how sure it is.
pub(crate) fn print_percentile(
    export: &Export<Measured>,
    p: f64,
    next: Option<Next>,
    seed: u64,
) -> Result<()> {
    let firsts = export.summary().ttft;
    let name = p * 100.0;
    let Some((value, interval)) = firsts.percentile(p).zip(firsts.interval(p, seed)) else {
        let needed = samples_needed(p);
        return output::line(format_args!(
            "P{name} of the first token: {} answers are too few, it needs {needed}",
            firsts.count()
        ));
    };
    let Interval { low, high } = interval;
    let why = match next {
        Some(Next::Narrow(_)) => "; stopped when narrow enough, which makes it look surer than it is",
        Some(_) => "; still wider than asked for",
        None => "",
    };
    output::line(format_args!(
        "P{name} of the first token: {:.1} ms, 95 % bootstrap interval {:.1} to {:.1} ms ({:.0} % wide){why}",
        value.0,
        low.0,
        high.0,
        interval.width_of(value) * 100.0
    ))
}
