//! A seed gives the same bits on every target: a page and a program show the same probabilities.

use economics::uncertainty::{MonteCarlo, Plan, Shape, Uncertain};
use economics::{Basis, Field, FleetBasis, Scenario, Share};

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// Seed 42, 1,000 trials of the scenario below: bits of all quantiles folded together.
const PINNED: u64 = 5_425_539_195_818_602_875;

/// Every shape, and every place where a logarithm or an exponential comes in.
fn inputs() -> (Scenario, Vec<Uncertain>) {
    let mut s = Scenario::seed_example();
    s.edge.fleet = FleetBasis::Sized;
    s.finance.hurdle_rate = Share(0.1);
    let of = |key, low, value, high, shape| {
        Uncertain::new(Field::of(key).unwrap(), (low, value, high), shape).unwrap()
    };
    let uncertain = vec![
        of("demand.requests_per_month", 5e5, 2e6, 8e6, Shape::Lognormal),
        of("demand.growth_per_month", -0.02, 0.0, 0.05, Shape::Pert),
        of("finance.price_decline_per_year", -0.05, 0.0, 0.5, Shape::Pert),
        of("cloud.usd_per_request", 0.0005, 0.000_75, 0.001, Shape::Triangular),
        of("edge.failures_per_year", 0.0, 0.02, 0.05, Shape::Pert),
        of("edge.tokens_per_second", 5.0, 10.0, 15.0, Shape::Triangular),
    ];
    (s, uncertain)
}

#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_seed_means_the_same_bits_natively_and_in_wasm() {
    let (s, uncertain) = inputs();
    let plan = Plan { seed: 42, trials: 1000, basis: Basis::Present, considered: [true; 5] };
    let mut run = MonteCarlo::new(&s, &uncertain, plan);
    run.run(1000);
    let found = run.summary().unwrap();
    let figures = found.total.iter().chain(&found.saving).flat_map(|q| [q.p10.0, q.p50.0, q.p90.0]);
    assert_eq!(figures.fold(0_u64, |hash, usd| hash.rotate_left(5) ^ usd.to_bits()), PINNED);
}
