//! Requirements in order, then price; and what the article's own chart would have said.

use economics::*;

fn decided(change: impl FnOnce(&mut Scenario)) -> Decision {
    let mut s = Scenario::seed_example();
    change(&mut s);
    evaluate(&s).unwrap().decision
}

fn of(decision: &Decision, deployment: Deployment, gate: Gate) -> &GateResult {
    decision.gates.iter().find(|g| (g.deployment, g.gate) == (deployment, gate)).unwrap()
}

fn defects(decision: &Decision) -> Vec<u8> {
    decision.article.defects.iter().map(|d| d.number).collect()
}

#[test]
fn two_million_is_edge() {
    let d = decided(|_| {});
    assert_eq!((d.best, d.rival, d.close_call), (Some(Deployment::Edge), Some(Deployment::Cloud), false));
    assert!((d.ratio.unwrap() - 1.57).abs() < 0.005);
    assert_eq!(d.sentence, "Edge servers for $34,400, $19,600 less than Cloud API.");
    assert_eq!((d.article.outcome, d.article.differs), (ArticleOutcome::Edge, false));
    assert_eq!(d.article.path.iter().map(|step| step.id).collect::<String>(), "BDEHI");
    assert_eq!(d.gates.len(), 25);
}

#[test]
fn prohibited_data_at_a_small_volume_is_edge_at_a_premium() {
    let d = decided(|s| {
        s.demand.requests_per_month = RequestsPerMonth(200_000.0);
        s.policy.data = DataPolicy::Prohibited;
    });
    assert_eq!(d.ranking, [(Deployment::Edge, Usd(34_400.0))]);
    assert!((d.compliance_premium.unwrap().0 - 29_000.0).abs() < 1e-6);
    assert!(d.sentence.contains("the only one") && d.sentence.contains("$29,000"), "{}", d.sentence);
    assert_eq!(of(&d, Deployment::Cloud, Gate::DataPolicy).outcome, Outcome::Failed);
    assert_eq!((d.article.outcome, d.article.differs), (ArticleOutcome::Cloud, true));
    assert_eq!(defects(&d), [10]);
}

#[test]
fn nothing_is_feasible() {
    let d = decided(|s| {
        s.demand.requests_per_month = RequestsPerMonth(5e6);
        s.policy.data = DataPolicy::Prohibited;
        s.policy.weights = Gigabytes(40.0);
    });
    assert_eq!((d.best, d.rival, d.ratio, d.close_call), (None, None, None, false));
    assert!(d.ranking.is_empty() && d.sentence.starts_with("None of the five"), "{}", d.sentence);
    assert!(
        d.sentence
            .contains("Edge servers: 8.00 GB of memory; 1.5 times the weights of 40.00 GB are 60.00 GB.")
    );
    // The article stops at the compliance rule without asking whether the model fits.
    assert_eq!((d.article.outcome, d.article.differs), (ArticleOutcome::Edge, true));
    assert_eq!(defects(&d), [12]);
}

#[test]
fn volume_of_990_thousand_over_five_years_is_edge_by_550() {
    let d = decided(|s| {
        s.demand.requests_per_month = RequestsPerMonth(990_000.0);
        s.finance.horizon = Months(60);
    });
    assert_eq!((d.best, d.close_call), (Some(Deployment::Edge), true));
    assert_eq!(d.sentence, "Edge servers for $44,000, $550 less than Cloud API: a close call.");
    assert_eq!((d.article.outcome, d.article.differs, defects(&d)), (ArticleOutcome::Cloud, true, vec![11]));
}

#[test]
fn the_article_counts_engineering_twice() {
    // 1.4 M: the cloud costs 37,800, the edge 34,400, and 42,400 with engineering twice.
    let d = decided(|s| s.demand.requests_per_month = RequestsPerMonth(1.4e6));
    assert_eq!(d.best, Some(Deployment::Edge));
    assert_eq!((d.article.outcome, d.article.differs, defects(&d)), (ArticleOutcome::Cloud, true, vec![13]));
    assert!(d.article.path.last().unwrap().question.contains("$42,400"));
}

#[test]
fn the_article_has_no_exit_from_a_model_that_does_not_fit() {
    let d = decided(|s| s.policy.weights = Gigabytes(40.0));
    assert_eq!((d.article.outcome, defects(&d)), (ArticleOutcome::HybridLoop, vec![12, 14]));
    assert_ne!(d.best, Some(Deployment::Edge));
}

#[test]
fn the_article_stops_at_a_strict_latency_without_checking_it() {
    let d = decided(|s| {
        (s.policy.slo, s.policy.slo_percentile) = (Milliseconds(40.0), SloPercentile::P99);
        s.policy.local_latency = Milliseconds(900.0);
        s.policy.cloud_latency = Milliseconds(400.0);
    });
    assert_eq!((d.best, d.article.outcome, d.article.differs), (None, ArticleOutcome::Edge, true));
    assert_eq!(defects(&d), [12]);
    assert_eq!(d.article.path.iter().map(|step| step.id).collect::<String>(), "BD");
}

#[test]
fn latency_is_about_a_named_metric_and_sampled_values_come_first() {
    let mut s = Scenario::seed_example();
    (s.policy.slo, s.policy.local_latency) = (Milliseconds(300.0), Milliseconds(900.0));
    let assumed = decide(&s, &Evidence::default());
    let edge = of(&assumed, Deployment::Edge, Gate::Latency);
    assert_eq!((edge.outcome, edge.origin, edge.value), (Outcome::Failed, Origin::Assumed, Some(900.0)));
    assert!(edge.sentence.starts_with("Time to first token, P90: 900 ms"));
    // Nobody sampled or entered the cloud's: it is not checked, and not excluded.
    assert_eq!(of(&assumed, Deployment::Cloud, Gate::Latency).outcome, Outcome::NotChecked);
    assert_eq!(assumed.best, Some(Deployment::Cloud));
    let mut evidence = Evidence::default();
    let sample = |ms: f64, origin| Some(Sampled { value: Milliseconds(ms), origin });
    evidence.latency[Deployment::Cloud as usize] = sample(420.0, Origin::Simulated);
    evidence.latency[Deployment::Edge as usize] = sample(120.0, Origin::Measured);
    let sampled = decide(&s, &evidence);
    assert_eq!(of(&sampled, Deployment::Edge, Gate::Latency).origin, Origin::Measured);
    assert_eq!(of(&sampled, Deployment::Cloud, Gate::Latency).outcome, Outcome::Failed);
    assert_eq!(sampled.best, Some(Deployment::Edge));
}

#[test]
fn memory_quality_and_capacity_gates() {
    let mut s = Scenario::seed_example();
    s.policy.min_quality = Share(0.85);
    let mut evidence = Evidence::default();
    let measured = Sampled { value: Gigabytes(1.0), origin: Origin::Measured };
    evidence.memory[Deployment::Browser as usize] = Some(measured);
    let d = decide(&s, &evidence);
    // 1.5 times 0.7 GB are 1.05 GB.
    let memory = of(&d, Deployment::Browser, Gate::Memory);
    assert_eq!((memory.outcome, memory.origin), (Outcome::Failed, Origin::Measured));
    assert_eq!(of(&d, Deployment::Edge, Gate::Quality).outcome, Outcome::Failed);
    assert_eq!(of(&d, Deployment::Cloud, Gate::Quality).outcome, Outcome::Passed);
    let capacity = of(&d, Deployment::Edge, Gate::Capacity);
    assert_eq!(capacity.outcome, Outcome::NotChecked);
    assert!(capacity.sentence.contains("Capacity unverified") && capacity.sentence.contains("66 devices"));
    s.edge.fleet = FleetBasis::Sized;
    assert_eq!(of(&decide(&s, &evidence), Deployment::Edge, Gate::Capacity).outcome, Outcome::Passed);
    s.edge.utilisation_cap = Share(1.0);
    assert_eq!(of(&decide(&s, &evidence), Deployment::Edge, Gate::Capacity).outcome, Outcome::Failed);
}

#[test]
fn a_hybrid_sends_data_out_unless_regulated_data_stays() {
    let hybrid = |routing| {
        decided(|s| {
            s.policy.data = DataPolicy::Prohibited;
            s.hybrid.routing = routing;
        })
    };
    let gate = |routing| of(&hybrid(routing), Deployment::Hybrid, Gate::DataPolicy).outcome;
    assert_eq!(gate(Routing::AnyRequest), Outcome::Failed);
    assert_eq!(gate(Routing::RegulatedStays), Outcome::Passed);
}
