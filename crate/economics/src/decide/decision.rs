//! Which deployment to choose. Hard requirements first, then the net present cost of what is left.

use serde::Serialize;

use super::article::{ArticleChart, article_chart};
use super::gate::{Evidence, Gate, GateResult, Outcome, gates};
use crate::bill::totals;
use crate::deployment::Deployment;
use crate::input::Scenario;
use crate::money::usd;
use crate::units::Usd;

/// Below this ratio of costs the inputs are not known well enough to tell (runwhere.dev/methodology).
pub const CLOSE_CALL: f64 = 1.5;

/// The choice, and the reasons for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// Every gate of every deployment, deployment by deployment.
    pub gates: Vec<GateResult>,
    /// Those that failed none, cheapest first by present value.
    pub ranking: Vec<(Deployment, Usd)>,
    /// The cheapest of them; `None` where every deployment fails.
    pub best: Option<Deployment>,
    /// The one it is weighed against: the cloud where it is feasible and not the best, else the next in the ranking.
    pub rival: Option<Deployment>,
    /// The rival's cost ÷ the best's.
    pub ratio: Option<f64>,
    /// Whether that ratio is below [`CLOSE_CALL`].
    pub close_call: bool,
    /// Cost of the data policy: the best's cost above that of the cheapest deployment that only the policy
    /// excludes; 0 or less is no premium.
    pub compliance_premium: Option<Usd>,
    /// The choice in words.
    pub sentence: String,
    /// The way through the source article's own chart.
    pub article: ArticleChart,
}

/// Decides. Inputs are not checked.
pub fn decide(s: &Scenario, evidence: &Evidence) -> Decision {
    let all: Vec<[GateResult; 5]> = Deployment::ALL.into_iter().map(|d| gates(s, evidence, d)).collect();
    let cost = |d: Deployment| totals(s)[d as usize].present;
    let ranked = |kept: &dyn Fn(&GateResult) -> bool| {
        let mut ranking: Vec<(Deployment, Usd)> = Deployment::ALL
            .into_iter()
            .zip(&all)
            .filter(|(_, gates)| gates.iter().all(kept))
            .map(|(d, _)| (d, cost(d)))
            .collect();
        ranking.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
        ranking
    };
    let ranking = ranked(&|gate| gate.outcome != Outcome::Failed);
    let but_for_policy = ranked(&|gate| gate.outcome != Outcome::Failed || gate.gate == Gate::DataPolicy);
    let best = ranking.first().copied();
    let rival = best.and_then(|best| rival(&ranking, best.0));
    let ratio = best.zip(rival).map(|(best, rival)| rival.1.0 / best.1.0).filter(|ratio| ratio.is_finite());
    let premium = best.zip(but_for_policy.first()).map(|(best, free)| best.1.0 - free.1.0);
    let compliance_premium = premium.filter(|premium| *premium > 0.0).map(Usd);
    let close_call = ratio.is_some_and(|ratio| ratio < CLOSE_CALL);
    Decision {
        sentence: sentence(&all, best, rival, close_call, compliance_premium),
        ranking,
        best: best.map(|best| best.0),
        rival: rival.map(|rival| rival.0),
        ratio,
        close_call,
        compliance_premium,
        article: article_chart(s, best.map(|best| best.0)),
        gates: all.into_iter().flatten().collect(),
    }
}

fn rival(ranking: &[(Deployment, Usd)], best: Deployment) -> Option<(Deployment, Usd)> {
    let others = || ranking.iter().copied().filter(|(d, _)| *d != best);
    others().find(|(d, _)| *d == Deployment::Cloud).or_else(|| others().next())
}

fn sentence(
    gates: &[[GateResult; 5]],
    best: Option<(Deployment, Usd)>,
    rival: Option<(Deployment, Usd)>,
    close_call: bool,
    premium: Option<Usd>,
) -> String {
    let Some((best, cost)) = best else {
        let reasons: Vec<String> = gates.iter().filter_map(first_failure).collect();
        return format!("None of the five meets every requirement. {}", reasons.join(" "));
    };
    let mut said = format!("{} for {}", best.label(), usd(cost));
    if let Some((other, its_cost)) = rival {
        let difference = usd(Usd(its_cost.0 - cost.0));
        said += &format!(", {difference} less than {}", other.label());
    }
    said += match (rival, close_call) {
        (None, _) => ": the only one that meets every requirement.",
        (_, true) => ": a close call.",
        (_, false) => ".",
    };
    if let Some(premium) = premium {
        said +=
            &format!(" Keeping data in costs {} more than the cheapest way without that rule.", usd(premium));
    }
    said
}

fn first_failure(gates: &[GateResult; 5]) -> Option<String> {
    let failed = gates.iter().find(|gate| gate.outcome == Outcome::Failed)?;
    Some(format!("{}: {}", failed.deployment.label(), failed.sentence))
}
