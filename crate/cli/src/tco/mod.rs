//! `nibble tco`: the page's prices, from an input file.

mod input;
mod report;
mod table;

use std::path::PathBuf;

use anyhow::Result;
use economics::{Deployment, Scenario, usd, write_inputs};

use crate::output;
use report::Priced;

/// What to price, and how to tell.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  nibble tco
  nibble tco --example > scenario.toml
  nibble tco --input scenario.toml --html > report.html
  nibble tco --set demand.requests_per_month=5e6 --set finance.horizon=24 --json")]
pub(crate) struct Args {
    /// File of inputs (TOML); without one, the source article's example
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// One input, before those of the file; may be given again
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Write a commented input file instead of a result
    #[arg(long, group = "form")]
    example: bool,
    /// One JSON object
    #[arg(long, group = "form")]
    json: bool,
    /// A table for spreadsheets
    #[arg(long, group = "form")]
    csv: bool,
    /// A report in one file that needs no other
    #[arg(long, group = "form")]
    html: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let scenario = input::scenario(args.input.as_deref(), &args.set)?;
    if args.example {
        return output::line(write_inputs(&scenario).trim_end());
    }
    let priced = Priced::new(&scenario)?;
    if args.json {
        output::line(serde_json::to_value(&priced)?)
    } else if args.csv {
        output::line(table::csv(&priced)?.trim_end())
    } else if args.html {
        output::line(report::html(&priced)?)
    } else {
        output::line(text(&scenario, &priced))
    }
}

/// A few lines for people.
fn text(scenario: &Scenario, priced: &Priced) -> String {
    let report = &priced.report;
    let mut lines = vec![report.sentence(), report.threshold_sentence(), String::new()];
    for deployment in Deployment::ALL {
        let total = report.bill(deployment).total;
        let today = match scenario.finance.hurdle_rate.0 {
            0.0 => String::new(),
            _ => format!(", {} in today's money", usd(total.present)),
        };
        lines.push(format!("{:<15} {:>14}{today}", deployment.label(), usd(total.undiscounted)));
    }
    lines.extend([String::new(), report.decision.sentence.clone()]);
    lines.extend(report.warnings.iter().map(|warning| format!("Note: {}", warning.sentence)));
    lines.push(format!("({})", report.convention));
    lines.join("\n")
}
