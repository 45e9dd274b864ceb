//! The article's formulas, pinned: every figure was computed from the formula beside it.

use economics::*;

fn seed() -> Scenario {
    Scenario::seed_example()
}

fn at(volume: f64) -> Scenario {
    seed().at_volume(RequestsPerMonth(volume))
}

fn over(months: u32) -> Scenario {
    let mut s = seed();
    s.finance.horizon = Months(months);
    s
}

fn priced(price: f64) -> Scenario {
    let mut s = seed();
    s.cloud.usd_per_request = UsdPerRequest(price);
    s
}

/// Cloud price, requests a month, months, hardware, maintenance, engineering.
fn case(price: f64, volume: f64, months: u32, capex: f64, maintenance: f64, engineering: f64) -> Scenario {
    let mut s = at(volume);
    s.cloud.usd_per_request = UsdPerRequest(price);
    s.finance.horizon = Months(months);
    (s.edge.capex, s.edge.lifecycle) = (Usd(capex), UsdPerMonth(maintenance));
    s.engineering.lump_sum = Usd(engineering);
    s
}

fn edge(s: &Scenario) -> Comparison {
    compare(s, Deployment::Edge)
}

fn near(got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within, "{got} is not {want}");
}

#[test]
fn cost_of_the_cloud() {
    assert_eq!(totals(&seed())[Deployment::Cloud as usize].undiscounted, Usd(54_000.0));
    assert_eq!(totals(&at(5e6))[Deployment::Cloud as usize].undiscounted, Usd(135_000.0));
}

#[test]
fn cost_of_the_edge() {
    assert_eq!(totals(&seed())[Deployment::Edge as usize].undiscounted, Usd(34_400.0));
}

#[test]
fn cheaper_is_strict() {
    assert_eq!(edge(&seed()).verdict, Verdict::Cheaper);
    let tie = case(0.5, 100.0, 10, 300.0, 10.0, 100.0);
    assert_eq!(edge(&tie).verdict, Verdict::Equal);
    assert!(evaluate(&tie).unwrap().sentence().ends_with("they cost the same."));
    assert_eq!(edge(&at(1e6)).verdict, Verdict::MoreExpensive);
}

/// 0.0011 · 7,000,000 · 3 is 23,100 on paper and 23,100.000000000004 in binary.
#[test]
fn a_tie_on_paper_is_a_tie() {
    let tie = edge(&case(0.001_1, 7e6, 3, 23_000.0, 0.0, 100.0));
    assert_ne!(tie.cloud, tie.other, "the case must be one that rounding disturbs");
    assert_eq!((tie.verdict, tie.saving), (Verdict::Equal, Total::default()));
    assert_eq!(tie.break_even.month, Some(3));
}

#[test]
fn saving_and_its_share() {
    near(edge(&seed()).saving.undiscounted.0, 19_600.0, 1e-6);
    near(edge(&seed()).saving_share.unwrap(), 0.362_96, 5e-6);
    near(edge(&at(5e6)).saving_share.unwrap(), 0.745_19, 5e-6);
    assert_eq!(edge(&at(0.0)).saving_share, None);
}

#[test]
fn the_articles_72_per_cent_is_not_its_formula() {
    near(edge(&at(5e6)).saving_share.unwrap(), 1.0 - 34_400.0 / 135_000.0, 1e-12);
    near((135_000.0 - 38_000.0) / 135_000.0, 0.718_5, 5e-5);
    near((135_000.0 - 35_000.0) / 135_000.0, 0.740_7, 5e-5);
}

#[test]
fn break_even_volume_by_horizon_and_price() {
    for (months, want) in [(36, 1_274_074.07), (12, 2_755_555.56), (60, 977_777.78)] {
        near(edge(&over(months)).break_even_volume.first.unwrap().0, want, 0.005);
        let by_horizon = break_even_volume_by_horizon(&seed(), Deployment::Edge, Months(60));
        near(by_horizon[months as usize - 1].1.unwrap().0, want, 0.005);
    }
    let free = edge(&priced(0.0));
    assert_eq!((free.break_even_volume.first, free.floor_volume), (None, None));
    // Both formulas divide by this price and overflow.
    let nearly_free = edge(&priced(5e-324));
    assert_eq!((nearly_free.break_even_volume.first, nearly_free.floor_volume), (None, None));
    let said = evaluate(&priced(5e-324)).unwrap().threshold_sentence();
    assert!(said.contains("no volume"), "{said}");
}

#[test]
fn volume_below_which_the_edge_never_wins() {
    near(edge(&seed()).floor_volume.unwrap().0, 533_333.33, 0.005);
}

#[test]
fn month_of_payback() {
    let two = edge(&seed()).break_even;
    near(two.exact_months.unwrap(), 18.18, 0.005);
    assert_eq!(two.month, Some(19));
    let five = edge(&at(5e6)).break_even;
    near(five.exact_months.unwrap(), 5.97, 0.005);
    assert_eq!(five.month, Some(6));
    assert_eq!(edge(&at(500_000.0)).break_even, BreakEven { exact_months: None, month: None });
}

#[test]
fn month_19_is_the_first_at_which_the_edge_has_cost_less() {
    let points = cumulative(&seed());
    assert_eq!(points.len(), 37);
    let paid = |month: usize, d: Deployment| points[month].totals[d as usize].undiscounted.0;
    near(paid(19, Deployment::Cloud), 28_500.0, 1e-6);
    near(paid(19, Deployment::Edge), 27_600.0, 1e-6);
    assert!(paid(18, Deployment::Cloud) < paid(18, Deployment::Edge));
}

/// The article's annuity test leaves engineering out: the cloud's present cost against hardware and maintenance alone.
#[test]
fn the_annuity_test_omits_engineering() {
    let mut s = seed();
    s.finance.hurdle_rate = Share(0.1);
    let edge = edge(&s);
    let without = edge.other.present.0 - engineering_cost(&s).0;
    near(without, 12_000.0 + 400.0 * 31.186_458, 0.005);
    assert!(edge.cloud.present.0 > without);
}

#[test]
fn memory_needed_for_weights() {
    near(memory_needed(Bytes(4.1e9)).0, 6.15e9, 1.0);
}

#[test]
fn bytes_of_weights() {
    for (bits, want) in [(16.0, 14e9), (8.0, 7e9), (4.0, 3.5e9)] {
        assert_eq!(weight_bytes(7e9, bits), Bytes(want));
    }
}

#[test]
fn ceiling_of_decode_speed() {
    for (bandwidth, weights, want) in
        [(50e9, 4.1e9, 12.2), (150e9, 4.1e9, 36.6), (50e9, 14e9, 3.57), (150e9, 14e9, 10.7)]
    {
        let ceiling = decode_ceiling(BytesPerSecond(bandwidth), Bytes(weights)).unwrap();
        near(ceiling.0, want, 0.05);
    }
    assert_eq!(decode_ceiling(BytesPerSecond(1.0), Bytes(0.0)), None);
}

#[test]
fn schemes_hardware_and_cache() {
    let scheme = |name| SCHEMES.iter().find(|scheme| scheme.name == name).unwrap();
    near(scheme("Q4_K_M").share_of_fp16().0, 0.293, 5e-4);
    near(scheme("Q4_K_M").bits_per_weight.unwrap() / 16.0, 0.303, 0.001);
    near(scheme("Q4_0").share_of_fp16().0, 0.271, 5e-4);
    let table = decode_table(Bytes(4.1e9), Some(TokensPerSecond(6.1)));
    assert_eq!(table.len(), HARDWARE.len());
    near(table[0].ceiling.0, 12.2, 0.05);
    near(table[0].measured.unwrap(), 0.5, 0.005);
    // The gap between an H100 and an NPU: 13 to 67 times.
    let slow = HARDWARE[0].bandwidth.0;
    let fast = HARDWARE[5].bandwidth.0;
    near(fast / slow, 67.0, 0.5);
    near(HARDWARE[4].bandwidth.0 / HARDWARE[3].bandwidth.0, 13.3, 0.05);
    near(used_bandwidth(TokensPerSecond(10.0), Bytes(4.1e9)).0, 41e9, 1.0);
    // Keys and values of 30 layers, 3 heads of 64, in f16, for 2,048 tokens.
    let cache = KvCache { layers: 30, kv_heads: 3, head_dim: 64, bytes_per_element: 2.0 };
    near(cache.bytes(2_048).0, 47_185_920.0, 0.0);
}

#[test]
fn engineering_by_weeks() {
    let weeks = |weeks: f64| {
        let mut s = seed();
        s.engineering.basis = EngineeringBasis::WeeksAtRate;
        (s.engineering.weeks, s.engineering.usd_per_week) = (Weeks(weeks), UsdPerWeek(4_000.0));
        s
    };
    near(edge(&weeks(6.0)).saving_share.unwrap(), 0.067, 5e-4);
    near(edge(&weeks(10.0)).saving.undiscounted.0, -12_400.0, 1e-6);
    let warned = |s: &Scenario| warnings(s).iter().any(|w| w.key.starts_with("engineering."));
    assert!(warned(&seed()) && !warned(&weeks(6.0)));
    assert_eq!(implied_week(&seed()), Some(UsdPerWeek(1_000.0)));
}

#[test]
fn the_verdict_is_said_in_words() {
    let said = |s: &Scenario| evaluate(s).unwrap();
    assert_eq!(
        said(&seed()).sentence(),
        "At 2,000,000 requests a month over 36 months the cloud costs $54,000 and the edge $34,400: \
         the edge saves $19,600 (36.3 %)."
    );
    assert_eq!(
        said(&seed()).threshold_sentence(),
        "Over 36 months the edge is cheaper above 1,274,074 requests a month; at your volume it has paid for \
         itself in month 19."
    );
    assert!(said(&at(1e5)).threshold_sentence().ends_with("it does not pay for itself within 50 years."));
    assert!(said(&at(8e5)).threshold_sentence().ends_with("after the horizon."));
}

#[test]
fn the_waterfall_ends_at_the_net_present_value() {
    let steps = waterfall(&seed(), Deployment::Edge);
    let labels: Vec<_> = steps.iter().map(|step| step.label).collect();
    assert_eq!(labels, ["Cloud cost avoided", "Hardware", "Engineering", "Upkeep", "Net present value"]);
    near(steps[1].change.0, -12_000.0, 1e-9);
    assert_eq!(steps[1].inputs, ["edge.capex"]);
    near(steps[4].after.0, 19_600.0, 1e-6);
}
