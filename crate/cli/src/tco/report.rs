//! A priced scenario as data, and as a page of its own.

use std::collections::BTreeMap;

use anyhow::Result;
use economics::{
    CHOICES, CumulativePoint, Deployment, Discrepancy, FIELDS, Report, RequestsPerMonth, Scenario, Usd,
    VolumePoint, WaterfallStep, by_volume, count, cumulative, evaluate, log_volumes, seed_discrepancy, share,
    usd, waterfall,
};
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;

use super::input::sentences;
use crate::usage::BadUsage;

/// Number of volumes in the table over volume, a decade in eight steps.
const VOLUMES: usize = 41;

/// Everything that the command tells, in every form.
#[derive(Serialize)]
pub(super) struct Priced {
    /// Version of this layout.
    schema: u32,
    /// Program that priced it.
    program: &'static str,
    version: &'static str,
    /// Cost of the cloud, not discounted, as the next seven are.
    cloud: Usd,
    /// Cost of the edge.
    edge: Usd,
    /// Cloud − edge.
    saving: Usd,
    saving_share: Option<f64>,
    /// The first volume at which both cost the same.
    #[serde(rename = "tipping_volume")]
    break_even_volume: Option<RequestsPerMonth>,
    /// The volume below which the edge never wins.
    floor_volume: Option<RequestsPerMonth>,
    /// The month in which the edge has paid for itself.
    break_even: economics::BreakEven,
    sentence: String,
    threshold_sentence: String,
    /// Where the source article's text and its formula disagree.
    discrepancy: Discrepancy,
    pub(super) report: Report,
    pub(super) cumulative: Vec<CumulativePoint>,
    pub(super) by_volume: Vec<VolumePoint>,
    waterfall: Vec<WaterfallStep>,
}

impl Priced {
    pub(super) fn new(scenario: &Scenario) -> Result<Self> {
        let report = evaluate(scenario).map_err(|errors| BadUsage(sentences(&errors)))?;
        let edge = &report.comparisons[0];
        let volumes = log_volumes(RequestsPerMonth(1e4), RequestsPerMonth(1e9), VOLUMES);
        Ok(Self {
            schema: 1,
            program: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            cloud: edge.cloud.undiscounted,
            edge: edge.other.undiscounted,
            saving: edge.saving.undiscounted,
            saving_share: edge.saving_share,
            break_even_volume: edge.break_even_volume.first,
            floor_volume: edge.floor_volume,
            break_even: edge.break_even,
            sentence: report.sentence(),
            threshold_sentence: report.threshold_sentence(),
            discrepancy: seed_discrepancy(),
            cumulative: cumulative(scenario),
            by_volume: by_volume(scenario, &volumes),
            waterfall: waterfall(scenario, Deployment::Edge),
            report,
        })
    }
}

/// One input as the report lists it.
#[derive(Serialize)]
struct Input {
    key: &'static str,
    label: &'static str,
    value: f64,
    unit: &'static str,
}

/// One choice as the report lists it.
#[derive(Serialize)]
struct Chosen {
    key: &'static str,
    label: &'static str,
    option: &'static str,
}

/// A curve of the chart: five fit one picture.
#[derive(Serialize)]
struct Curve {
    name: &'static str,
    label: &'static str,
    points: String,
}

/// Size of the chart's drawing area; the template draws the frame around it.
const CHART: (f64, f64) = (640.0, 280.0);

/// The report as one HTML file: style within, no script, nothing fetched.
pub(super) fn html(priced: &Priced) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("usd", |value: f64| usd(Usd(value)));
    environment.add_filter("count", count);
    environment.add_filter("share", share);
    environment.add_template("report.html", include_str!("report.html"))?;
    let scenario = &priced.report.scenario;
    let inputs: Vec<Input> = FIELDS
        .iter()
        .filter(|field| (field.relevant)(scenario))
        .map(|field| Input {
            key: field.key,
            label: field.label,
            value: (field.get)(scenario),
            unit: field.unit,
        })
        .collect();
    let choices: Vec<Chosen> = CHOICES
        .iter()
        .filter(|choice| (choice.relevant)(scenario))
        .map(|choice| Chosen {
            key: choice.key,
            label: choice.label,
            option: choice.options[(choice.get)(scenario)].label,
        })
        .collect();
    let labels: BTreeMap<&str, &str> = Deployment::ALL.map(|d| (d.name(), d.label())).into();
    let (curves, highest) = curves(&priced.cumulative);
    let size = context! { width => CHART.0, height => CHART.1 };
    let page = context! { priced, inputs, choices, labels, curves, highest, size };
    Ok(environment.get_template("report.html")?.render(page)?)
}

/// Cumulative cost at present value, month by month, and the highest of all.
fn curves(points: &[CumulativePoint]) -> (Vec<Curve>, f64) {
    let highest = points.iter().flat_map(|p| p.totals).map(|t| t.present.0).fold(1.0, f64::max);
    let last = points.len().saturating_sub(1).max(1) as f64;
    let curve = |deployment: Deployment| {
        let place = |(month, point): (usize, &CumulativePoint)| {
            let part = point.totals[deployment as usize].present.0 / highest;
            format!("{:.1},{:.1}", CHART.0 * month as f64 / last, CHART.1 * (1.0 - part))
        };
        let points: Vec<String> = points.iter().enumerate().map(place).collect();
        Curve { name: deployment.name(), label: deployment.label(), points: points.join(" ") }
    };
    (Deployment::ALL.map(curve).into(), highest)
}
