//! The source article's own decision chart, followed as printed, and where it goes wrong; its defects are
//! numbered as in `presets/defects.json`.

use serde::Serialize;

use crate::bill::{engineering_cost, totals};
use crate::deployment::Deployment;
use crate::input::{DataPolicy, Finance, Scenario, SloPercentile};
use crate::memory::memory_needed;
use crate::money::{count, usd};
use crate::units::{Bytes, Months, Usd};

/// One question of the chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArticleStep {
    /// Letter in the article.
    pub id: char,
    /// The question, with this scenario's figures.
    pub question: String,
    /// The answer.
    pub yes: bool,
}

/// Where the chart ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArticleOutcome {
    /// Cloud.
    Cloud,
    /// Edge.
    Edge,
    /// Hybrid, then distilling, then the same question again, without an exit.
    HybridLoop,
}

/// The way through the chart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ArticleChart {
    /// Questions asked, in order.
    pub path: Vec<ArticleStep>,
    /// Where it ends.
    pub outcome: ArticleOutcome,
    /// Whether that is not the deployment chosen here.
    pub differs: bool,
    /// Defects of the chart on this path, by their number in the list of the article's defects.
    pub defects: Vec<Defect>,
}

/// A defect of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// Number in the list of the article's defects.
    pub number: u8,
    /// The defect in a sentence.
    pub sentence: &'static str,
}

const COMPLIANCE_AFTER_VOLUME: Defect = Defect {
    number: 10,
    sentence: "The chart asks for the volume before it asks whether data may leave, so a small volume of protected \
               data is sent to the cloud.",
};
const FIXED_VOLUME: Defect = Defect {
    number: 11,
    sentence: "The chart's limit of one million requests a month is not where the costs meet, which depends on \
               price, horizon and fleet.",
};
const NO_FEASIBILITY: Defect = Defect {
    number: 12,
    sentence: "The chart ends here without asking whether the model fits or is fast enough.",
};
const NO_EXIT: Defect = Defect {
    number: 12,
    sentence: "The chart goes from hybrid to distilling and back without an exit, and a hybrid may send out data \
               that may not leave.",
};
const ENGINEERING_TWICE: Defect =
    Defect { number: 13, sentence: "The chart adds engineering to an edge cost that already holds it." };
const PRUNES_AGAIN: Defect = Defect {
    number: 14,
    sentence: "Where quality falls below the limit, the article prunes the model once more.",
};

/// Follows the chart.
pub(crate) fn article_chart(s: &Scenario, chosen: Option<Deployment>) -> ArticleChart {
    let mut path = Vec::new();
    let (outcome, defects) = follow(s, &mut |id, question, yes| {
        path.push(ArticleStep { id, question, yes });
        yes
    });
    let as_deployment = match outcome {
        ArticleOutcome::Cloud => Deployment::Cloud,
        ArticleOutcome::Edge => Deployment::Edge,
        ArticleOutcome::HybridLoop => Deployment::Hybrid,
    };
    ArticleChart { path, outcome, differs: chosen != Some(as_deployment), defects }
}

fn follow(s: &Scenario, ask: &mut dyn FnMut(char, String, bool) -> bool) -> (ArticleOutcome, Vec<Defect>) {
    let volume = s.demand.requests_per_month.0;
    let asked = format!("Are {} requests a month more than 1,000,000?", count(volume));
    if !ask('B', asked, volume > 1e6) {
        let defect = if s.policy.data == DataPolicy::Free { FIXED_VOLUME } else { COMPLIANCE_AFTER_VOLUME };
        return (ArticleOutcome::Cloud, vec![defect]);
    }
    let slo = s.policy.slo.0;
    let strict = s.policy.slo_percentile == SloPercentile::P99 && slo > 0.0 && slo < 50.0;
    if ask('D', "Must P99 latency be below 50 ms?".to_owned(), strict) {
        return (ArticleOutcome::Edge, vec![NO_FEASIBILITY]);
    }
    let protected = s.policy.data != DataPolicy::Free;
    if ask('E', "Does the data fall under a compliance rule?".to_owned(), protected) {
        return (ArticleOutcome::Edge, vec![NO_FEASIBILITY]);
    }
    let three_years = Scenario { finance: Finance { horizon: Months(36), ..s.finance }, ..*s };
    let all = totals(&three_years);
    let cloud = all[Deployment::Cloud as usize].undiscounted;
    let edge = all[Deployment::Edge as usize].undiscounted;
    let twice = Usd(edge.0 + engineering_cost(s).0);
    let asked = format!(
        "Is the cloud over three years, {}, dearer than edge plus engineering, {}?",
        usd(cloud),
        usd(twice)
    );
    if !ask('H', asked, cloud > twice) {
        let wrong = if cloud > edge { vec![ENGINEERING_TWICE] } else { Vec::new() };
        return (ArticleOutcome::Cloud, wrong);
    }
    let needed = memory_needed(Bytes(s.policy.weights.0 * 1e9)).0 / 1e9;
    let fits = s.edge.memory.0 >= needed;
    if ask('I', format!("Does the model fit: {needed:.2} GB in {:.2} GB?", s.edge.memory.0), fits) {
        return (ArticleOutcome::Edge, Vec::new());
    }
    (ArticleOutcome::HybridLoop, vec![NO_EXIT, PRUNES_AGAIN])
}
