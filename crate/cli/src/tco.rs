//! `nibble tco`

use anyhow::Result;
use economics::{CONVENTION, FIELDS, InputError, Scenario, evaluate};
use serde_json::json;

use crate::{BadUsage, output};

/// Names of flags are those of the scenario's inputs.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(after_help = "Examples:
  nibble tco
  nibble tco --requests-per-month 5000000 --horizon 24
  nibble tco --usd-per-request 0.0000455 --json")]
pub(crate) struct Args {
    /// Cloud price, $ per request [default: 0.00075]
    #[arg(long)]
    usd_per_request: Option<f64>,
    /// Volume [default: 2000000]
    #[arg(long)]
    requests_per_month: Option<f64>,
    /// Months compared, 1 to 120 [default: 36]
    #[arg(long)]
    horizon: Option<u32>,
    /// Hardware, $ once [default: 12000]
    #[arg(long)]
    capex: Option<f64>,
    /// Upkeep, $ per month [default: 400]
    #[arg(long)]
    lifecycle: Option<f64>,
    /// Engineering, $ once [default: 8000]
    #[arg(long)]
    engineering: Option<f64>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Args {
    /// The article's example with what was given put in; a bad input is named, all of them at once.
    fn scenario(&self) -> Result<Scenario> {
        let given = [
            self.usd_per_request,
            self.requests_per_month,
            self.horizon.map(f64::from),
            self.capex,
            self.lifecycle,
            self.engineering,
        ];
        let mut scenario = Scenario::seed_example();
        let mut errors = Vec::new();
        for (field, value) in FIELDS.iter().zip(given) {
            let Some(value) = value else { continue };
            match field.check(value) {
                Ok(()) => (field.set)(&mut scenario, value),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(scenario) } else { Err(BadUsage(sentences(&errors)).into()) }
    }
}

fn sentences(errors: &[InputError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let scenario = args.scenario()?;
    let report = evaluate(&scenario).map_err(|errors| BadUsage(sentences(&errors)))?;
    if args.json {
        let mut value = serde_json::to_value(&report)?;
        value["convention"] = json!(CONVENTION);
        value["sentence"] = json!(report.sentence());
        output::line(value)
    } else {
        let (verdict, threshold) = (report.sentence(), report.threshold_sentence());
        output::line(format_args!("{verdict}\n{threshold}\n({CONVENTION})"))
    }
}
