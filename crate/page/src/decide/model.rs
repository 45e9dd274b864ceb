//! A decision as ways through gates.

use economics::{Decision, Deployment, Gate as Asked, GateResult, Outcome as Came, Report, usd};

use crate::charts::drawings::{Gate, Outcome, Path};
use crate::shared::format::decimal;
use crate::shared::origin::Origin;

/// The way of every deployment, in order. A gate after the one that failed is still told: it was looked at.
/// `times_of`: when times were measured here, `2026-11-25 08:40 UTC`.
pub fn decision_paths(report: &Report, times_of: Option<&str>) -> Vec<Path> {
    Deployment::ALL.map(|deployment| path(&report.decision, deployment, times_of)).into()
}

fn path(decision: &Decision, deployment: Deployment, times_of: Option<&str>) -> Path {
    let own = decision.gates.iter().filter(|gate| gate.deployment == deployment);
    let place = decision.ranking.iter().position(|(feasible, _)| *feasible == deployment);
    let result = match place {
        Some(0) => "Meets every requirement, and costs least of those that do.".to_owned(),
        Some(place) => {
            let more = decision.ranking[place].1.0 - decision.ranking[0].1.0;
            let cheapest = decision.ranking[0].0.label();
            format!("Meets every requirement; costs {} more than {cheapest}.", usd(economics::Usd(more)))
        }
        None => "Out: it fails a requirement, whatever it costs.".to_owned(),
    };
    Path {
        option: deployment.label().to_owned(),
        role: deployment.into(),
        gates: own.map(|asked| gate(asked, times_of)).collect(),
        feasible: place.is_some(),
        chosen: decision.best == Some(deployment),
        result,
    }
}

fn gate(asked: &GateResult, times_of: Option<&str>) -> Gate {
    let when = times_of.filter(|_| asked.gate == Asked::Latency);
    let here = format!("measured on this device{}", when.map_or(String::new(), |when| format!(", {when}")));
    let figure = |value: Option<f64>| value.map_or(String::new(), |value| written(value, asked.unit));
    let (origin, origin_text) = match asked.origin {
        economics::Origin::Measured => (Origin::Measured, here.as_str()),
        economics::Origin::Simulated => (Origin::Simulated, "simulated"),
        economics::Origin::Assumed => (Origin::Assumed, "entered, or an assumption"),
        economics::Origin::Computed => (Origin::Assumed, "worked out from the entries"),
    };
    Gate {
        name: asked.gate.label().to_owned(),
        question: question(asked.gate).to_owned(),
        outcome: match asked.outcome {
            Came::Passed => Outcome::Passed,
            Came::Failed => Outcome::Failed,
            Came::NotChecked => Outcome::NotChecked,
        },
        value: figure(asked.value),
        threshold: figure(asked.threshold),
        origin,
        origin_text: origin_text.to_owned(),
        sentence: asked.sentence.clone(),
    }
}

fn written(value: f64, unit: &str) -> String {
    match unit.strip_prefix("share") {
        Some(rest) => format!("{}{rest}", economics::share(value)),
        None => format!("{} {unit}", decimal(value, usize::from(value < 100.0))),
    }
}

fn question(gate: Asked) -> &'static str {
    match gate {
        Asked::DataPolicy => "May the data go where this sends it?",
        Asked::Quality => "Are its answers good enough?",
        Asked::Memory => "Does the model fit in memory?",
        Asked::Latency => "Are its answers fast enough?",
        Asked::Capacity => "Do the servers keep up at the peak?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use economics::{DataPolicy, Scenario};

    #[test]
    fn a_prohibition_rules_out_what_sends_data_away() {
        let mut s = Scenario::seed_example();
        s.policy.data = DataPolicy::Prohibited;
        let ways = decision_paths(&economics::evaluate(&s).unwrap(), None);
        assert_eq!(ways.len(), 5);
        assert!(ways.iter().all(|way| way.gates.len() == 5));
        let cloud = &ways[0];
        assert!(!cloud.feasible && cloud.gates[0].outcome == Outcome::Failed, "{cloud:?}");
        assert_eq!(ways.iter().filter(|way| way.chosen).count(), 1);
    }
    #[test]
    fn a_time_measured_here_says_when() {
        let mut s = Scenario::seed_example();
        s.policy.slo.0 = 500.0;
        let mut evidence = economics::Evidence::default();
        let found = |ms, origin| Some(economics::Sampled { value: economics::Milliseconds(ms), origin });
        evidence.latency[Deployment::Browser as usize] = found(412.0, economics::Origin::Measured);
        // A request that a tab cannot answer goes to the cloud; the slower of the two counts.
        evidence.latency[Deployment::Cloud as usize] = found(300.0, economics::Origin::Simulated);
        let report = economics::evaluate_with(&s, &evidence).unwrap();
        let ways = decision_paths(&report, Some("2026-11-25 08:40 UTC"));
        let told = |deployment: Deployment| ways[deployment as usize].gates[3].origin_text.clone();
        assert_eq!(told(Deployment::Browser), "measured on this device, 2026-11-25 08:40 UTC");
        assert_eq!(told(Deployment::Cloud), "simulated");
    }
}
