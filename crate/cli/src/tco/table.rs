//! A priced scenario as one long table, a figure a row.

use anyhow::Result;
use csv::Writer;
use economics::{CHOICES, Deployment, FIELDS, Total};
use figures::sheet;

use super::report::Priced;

const HEAD: [&str; 7] = ["table", "deployment", "item", "at", "undiscounted", "present", "note"];

/// The table as CSV. `at` is a month or a volume; amounts are US dollars, except for inputs, which stand in their own
/// unit in `undiscounted`.
pub(super) fn csv(priced: &Priced) -> Result<String> {
    let mut out = Writer::from_writer(Vec::new());
    out.write_record(HEAD)?;
    inputs(priced, &mut out)?;
    let report = &priced.report;
    for bill in &report.bills {
        let name = bill.deployment.name();
        for line in &bill.lines {
            let keys: Vec<&str> = line.line.inputs.iter().collect();
            let table = if line.line.payer == economics::Payer::Users { "paid by users" } else { "bill" };
            row(&mut out, [table, name, line.line.label], "", line.total, &keys.join(" "))?;
        }
        row(&mut out, ["total", name, "Total"], "", bill.total, &report.convention)?;
    }
    for gate in &report.decision.gates {
        let value = gate.value.map_or_else(String::new, |value| value.to_string());
        let threshold = gate.threshold.map_or_else(String::new, |value| value.to_string());
        let name = gate.deployment.name();
        let label = gate.gate.label();
        write(&mut out, ["gate", name, label, &threshold, &value, "", &gate.sentence])?;
    }
    for point in &priced.cumulative {
        series(&mut out, "cumulative", "Paid so far", &point.month.0.to_string(), &point.totals)?;
    }
    for point in &priced.by_volume {
        series(&mut out, "by volume", "Paid over the horizon", &point.volume.0.to_string(), &point.totals)?;
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

fn inputs(priced: &Priced, out: &mut Writer<Vec<u8>>) -> Result<()> {
    let s = &priced.report.scenario;
    for field in FIELDS.iter().filter(|field| (field.relevant)(s)) {
        let value = (field.get)(s).to_string();
        let note = format!("{}, {}", field.label, field.unit);
        write(out, ["input", "", field.key, "", &value, "", &note])?;
    }
    for choice in CHOICES.iter().filter(|choice| (choice.relevant)(s)) {
        let chosen = choice.options[(choice.get)(s)];
        let note = format!("{}: {}", choice.label, chosen.explanation);
        write(out, ["input", "", choice.key, "", chosen.name, "", &note])?;
    }
    Ok(())
}

fn series(out: &mut Writer<Vec<u8>>, table: &str, item: &str, at: &str, totals: &[Total; 5]) -> Result<()> {
    for (deployment, total) in Deployment::ALL.iter().zip(totals) {
        row(out, [table, deployment.name(), item], at, *total, "")?;
    }
    Ok(())
}

fn row(out: &mut Writer<Vec<u8>>, what: [&str; 3], at: &str, total: Total, note: &str) -> Result<()> {
    let undiscounted = total.undiscounted.0.to_string();
    let present = total.present.0.to_string();
    write(out, [what[0], what[1], what[2], at, &undiscounted, &present, note])
}

fn write(out: &mut Writer<Vec<u8>>, cells: [&str; 7]) -> Result<()> {
    Ok(out.write_record(cells.map(sheet::guarded).iter().map(|cell| cell.as_bytes()))?)
}
