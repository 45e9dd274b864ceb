//! Section 5: what may be chosen, what is cheapest of it, and what the article's own chart would have said.

use std::sync::Arc;

use economics::{ArticleChart, ArticleOutcome, Deployment, Report};
use leptos::prelude::*;

use crate::app::App;
use crate::charts::path::{matrix, paths};
use crate::decide::model::decision_paths;
use crate::shared::money::money;
use crate::shared::parts::{opened, section_head};

/// Section 5.
pub(crate) fn decide(app: App) -> impl IntoView {
    let cost = app.cost;
    let open = RwSignal::new(false);
    let ways = Memo::new(move |_| {
        let when = cost.fed.get().map(|fed| fed.when);
        cost.report.with(|r| r.as_ref().map(|r| decision_paths(r, when.as_deref())).unwrap_or_default())
    });
    view! {
        <section id="decide" class="section" aria-labelledby="decide-title">
            {section_head(
                "decide-title",
                "5",
                "Decide",
                "First what must be met, then what costs least. A price never buys a way around a requirement.",
            )}
            <div class="card outcome">
                {move || cost.report.get().map(|report| outcome(&report))}
                <h3>"Requirements at a glance"</h3>
                {matrix("gates", "Every option against every requirement", ways)}
                <details data-testid="decision-paths" on:toggle=opened(open)>
                    <summary>"Each option’s way through them, with values and thresholds"</summary>
                    {move || open.get().then(|| paths("paths", ways))}
                </details>
                {move || cost.report.get().map(|report| article(&report))}
            </div>
        </section>
    }
}

fn outcome(report: &Arc<Report>) -> impl IntoView + use<> {
    let decision = &report.decision;
    let premium = decision.compliance_premium.filter(|premium| premium.0 > 0.0);
    view! {
        <p class="verdict" data-testid="choice" data-value=decision.best.map_or("none", Deployment::name)>
            {decision.sentence.clone()}
        </p>
        {decision.close_call.then(|| view! {
            <p class="notice" data-testid="close-call">
                "A close call: the next option costs "
                {decision.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"))}
                " times as much. Below 1.5 the inputs are not known well enough to tell the two apart (runwhere.dev)."
            </p>
        })}
        {premium.map(|premium| view! {
            <p data-testid="premium">"The data policy costs " {money(premium)} ": the cheapest option it rules out would cost so much less."</p>
        })}
        <ol class="ranking" data-testid="ranking">
            {decision.ranking.iter().map(|(d, total)| view! { <li>{d.label()} ": " <span class="num">{money(*total)}</span></li> }).collect_view()}
        </ol>
        <p class="small muted">"Present value over the horizon, cheapest first; only options that meet every requirement. Not legal advice."</p>
    }
}

/// The source article's own chart, for comparison.
fn article(report: &Arc<Report>) -> impl IntoView + use<> {
    let chart = report.decision.article.clone();
    let end = match chart.outcome {
        ArticleOutcome::Cloud => "Cloud",
        ArticleOutcome::Edge => "Edge",
        ArticleOutcome::HybridLoop => "Hybrid, then distil, then the same question again, without an exit",
    };
    let differs = chart.differs;
    let open = RwSignal::new(false);
    view! {
        <details data-testid="article-chart" data-differs=differs.to_string() on:toggle=opened(open)>
            <summary>
                "The article’s own chart says " {end} {if differs { ", which is not the choice above" } else { ", as here" }}
            </summary>
            {move || open.get().then(|| article_path(&chart, end))}
        </details>
    }
}

fn article_path(chart: &ArticleChart, end: &'static str) -> impl IntoView + use<> {
    let path = chart.path.clone();
    let defects = chart.defects.clone();
    view! {
        <ol class="article-path">
            {path.into_iter().map(|step| view! {
                <li>
                    <strong>{step.id.to_string()}</strong> ". " {step.question} " "
                    <strong>{if step.yes { "Yes" } else { "No" }}</strong>
                </li>
            }).collect_view()}
            <li><strong>{end}</strong></li>
        </ol>
        <ul class="sources">
            {defects.into_iter().map(|defect| view! { <li>{defect.sentence} " (no. " {defect.number} ")"</li> }).collect_view()}
        </ul>
    }
}
