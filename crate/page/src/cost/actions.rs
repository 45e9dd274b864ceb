//! Measured figures, handed to the cost scenario and the decision.

use economics::{CHOICES, FIELDS, SloMetric, SloPercentile};
use latency::objective::Slo;
use latency::stats::{self, Series, Summary};
use leptos::prelude::*;

use crate::app::App;
use crate::cost::model::evidence::{Known, LEVELS, Times};
use crate::cost::state::cost::{Fed, Reading};
use crate::shared::clock::moment;

/// Inputs of the cost scenario that many measured answers give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MeasuredCase {
    /// Decode speed: one over the mean time between tokens.
    pub(crate) tokens_per_second: f64,
    /// Mean tokens of an answer.
    pub(crate) output_tokens: f64,
}

impl App {
    /// `None` until two tokens came one after the other.
    pub(crate) fn measured_case(&self) -> Option<MeasuredCase> {
        let gap = self.latency.here.with(|here| here.as_ref()?.inter_token.mean())?;
        let counted = |run: &&latency::export::Run| !run.hidden && !run.arrivals_ms.is_empty();
        let (answers, tokens) = self.latency.runs.with(|runs| {
            runs.iter()
                .filter(counted)
                .fold((0.0, 0.0), |(n, t), run| (n + 1.0, t + run.arrivals_ms.len() as f64))
        });
        let one = |value: f64| (value * 10.0).round() / 10.0;
        (gap.0 > 0.0 && answers > 0.0).then(|| MeasuredCase {
            tokens_per_second: one(1e3 / gap.0),
            output_tokens: (tokens / answers).round(),
        })
    }

    /// Puts it into the shown scenario, marked with place and time, and its percentiles before the decision's gates.
    pub(crate) fn feed_forward(&self) {
        let Some(measured) = untrack(|| self.measured_case()) else { return };
        let case = untrack(|| self.cost.case());
        let place = self.latency.place.get_untracked();
        let (day, time) = moment(place.at_unix_ms as f64);
        let answers =
            self.latency.here.with_untracked(|here| here.as_ref().map_or(0, |here| here.ttft.count()));
        let source = format!(
            "measured on this device, {day} {time} UTC: {answers} answers of {} on {}",
            place.model, place.backend
        );
        let reading = |value| Reading { value, source: source.clone(), day: day.clone() };
        case.measure("browser.tokens_per_second", reading(measured.tokens_per_second));
        case.measure("demand.output_tokens", reading(measured.output_tokens));
        let times = self.latency.here.with_untracked(|here| here.as_ref().map(|here| times(here)));
        self.cost.fed.set(times.map(|times| Fed { times, when: format!("{day} {time} UTC") }));
    }

    /// Makes an objective the requirement of the decision: its first limit, at the percentile that its share asks for.
    pub(crate) fn require(&self, slo: &Slo) {
        let (metric, limit) = match (slo.ttft_ms, slo.tpot_ms) {
            (Some(ms), _) => (SloMetric::Ttft, ms),
            (None, Some(ms)) => (SloMetric::Itl, ms),
            (None, None) => return,
        };
        let percentile = match slo.share {
            share if share <= 0.5 => SloPercentile::P50,
            share if share <= 0.9 => SloPercentile::P90,
            share if share <= 0.95 => SloPercentile::P95,
            _ => SloPercentile::P99,
        };
        let case = untrack(|| self.cost.case());
        if let Some(field) = FIELDS.iter().position(|field| field.key == "policy.slo") {
            case.type_in(field, format!("{}", limit.0));
        }
        for (key, option) in
            [("policy.slo_metric", metric as usize), ("policy.slo_percentile", percentile as usize)]
        {
            if let Some(choice) = CHOICES.iter().position(|choice| choice.key == key) {
                case.choose(choice, option);
            }
        }
    }

    /// Hands the decision the figures of the device check, the answers and the simulated cloud.
    pub(crate) fn tell_what_is_known(self) {
        Effect::new(move |_| {
            let figures = self.chat.figures.get();
            let spread = self.race.cloud.with(|cloud| cloud.as_ref().ok().map(|(_, spread)| *spread));
            // An answer under way would change this with every token.
            let last = figures.total_ms.map(|_| Times {
                itl: [figures.itl_median_ms, figures.itl_p90_ms, None, None],
                ..Times::default()
            });
            let one = spread
                .map(|spread| Times { ttft: [spread.p50, spread.p90, None, spread.p99], ..Times::default() });
            let many = self.latency.cloud.with(|cloud| cloud.as_ref().map(|runs| times(&runs.summary)));
            self.cost.known.set(Known {
                memory_gb: self.device.with(|device| device.memory_gb),
                here: self.cost.fed.get().map(|fed| fed.times).or(last).unwrap_or_default(),
                cloud: many.or(one).unwrap_or_default(),
            });
        });
    }
}

fn times<O: stats::Origin>(summary: &Summary<O>) -> Times {
    let of = |series: &Series<O>| LEVELS.map(|p| series.percentile(p).map(|ms| ms.0));
    Times { ttft: of(&summary.ttft), itl: of(&summary.inter_token), end_to_end: of(&summary.end_to_end) }
}
