//! The article's formulas, pinned: every figure was computed from the formula beside it.

use economics::*;
use proptest::prelude::*;

fn seed() -> Scenario {
    Scenario::seed_example()
}

fn at(volume: f64) -> Scenario {
    Scenario { requests_per_month: RequestsPerMonth(volume), ..seed() }
}

fn over(months: u32) -> Scenario {
    Scenario { horizon: Months(months), ..seed() }
}

fn report(scenario: Scenario) -> Report {
    evaluate(&scenario).unwrap()
}

fn assert_near(got: f64, want: f64, within: f64) {
    assert!((got - want).abs() <= within, "{got} is not {want}");
}

#[test]
fn f1_cloud_cost() {
    assert_near(report(seed()).cloud.0, 54_000.0, 1e-6);
    assert_near(report(at(5e6)).cloud.0, 135_000.0, 1e-6);
}

#[test]
fn f2_edge_cost() {
    assert_eq!(report(seed()).edge, Usd(34_400.0));
}

#[test]
fn f3_justified_is_strict() {
    assert_eq!(report(seed()).verdict, Verdict::EdgeCheaper);
    let tie = Scenario {
        usd_per_request: UsdPerRequest(0.5),
        requests_per_month: RequestsPerMonth(100.0),
        horizon: Months(10),
        capex: Usd(300.0),
        lifecycle: UsdPerMonth(10.0),
        engineering: Usd(100.0),
    };
    assert_eq!(report(tie).verdict, Verdict::Equal);
    assert!(report(tie).sentence().ends_with("they cost the same."));
    assert_eq!(report(at(1e6)).verdict, Verdict::CloudCheaper);
}

/// 0.0011 · 7,000,000 · 3 is 23,100 on paper and 23,100.000000000004 in binary.
#[test]
fn f3_a_tie_on_paper_is_a_tie() {
    let tie = Scenario {
        usd_per_request: UsdPerRequest(0.001_1),
        requests_per_month: RequestsPerMonth(7e6),
        horizon: Months(3),
        capex: Usd(23_000.0),
        lifecycle: UsdPerMonth(0.0),
        engineering: Usd(100.0),
    };
    let report = report(tie);
    assert_ne!(report.cloud, report.edge, "the case must be one that rounding disturbs");
    assert_eq!((report.verdict, report.saving), (Verdict::Equal, Usd(0.0)));
    assert_eq!(report.break_even.month, Some(3));
}

#[test]
fn f4_saving_and_share() {
    assert_near(report(seed()).saving.0, 19_600.0, 1e-6);
    assert_near(report(seed()).saving_share.unwrap(), 0.362_96, 5e-6);
    assert_near(report(at(5e6)).saving_share.unwrap(), 0.745_19, 5e-6);
    assert_eq!(report(at(0.0)).saving_share, None);
}

#[test]
fn f4_the_articles_72_per_cent_is_not_its_formula() {
    let discrepancy = seed_discrepancy();
    assert_near(discrepancy.formula, report(at(5e6)).saving_share.unwrap(), 1e-12);
    assert_near((135_000.0 - 38_000.0) / 135_000.0, 0.718_5, 5e-5);
    assert_eq!(discrepancy.article, 0.72);
}

#[test]
fn f5_tipping_volume() {
    for (months, want) in [(36, 1_274_074.07), (12, 2_755_555.56), (60, 977_777.78)] {
        assert_near(report(over(months)).tipping_volume.unwrap().0, want, 0.005);
    }
    let free = Scenario { usd_per_request: UsdPerRequest(0.0), ..seed() };
    assert_eq!((report(free).tipping_volume, report(free).floor_volume), (None, None));
    // Both formulas divide by this price and overflow.
    let nearly_free = report(Scenario { usd_per_request: UsdPerRequest(5e-324), ..seed() });
    assert_eq!((nearly_free.tipping_volume, nearly_free.floor_volume), (None, None));
    assert!(nearly_free.threshold_sentence().contains("no volume"));
}

#[test]
fn f6_floor_volume() {
    assert_near(report(seed()).floor_volume.unwrap().0, 533_333.33, 0.005);
}

#[test]
fn f7_break_even_month() {
    let two = report(seed()).break_even;
    assert_near(two.exact_months.unwrap(), 18.18, 0.005);
    assert_eq!(two.month, Some(19));
    let five = report(at(5e6)).break_even;
    assert_near(five.exact_months.unwrap(), 5.97, 0.005);
    assert_eq!(five.month, Some(6));
    assert_eq!(report(at(500_000.0)).break_even, BreakEven { exact_months: None, month: None });
}

#[test]
fn f7_month_19_is_the_first_at_which_the_edge_has_cost_less() {
    let points = cumulative(&seed());
    assert_eq!(points.len(), 37);
    assert_near(points[19].cloud.0, 28_500.0, 1e-6);
    assert_eq!(points[19].edge, Usd(27_600.0));
    assert!(points[18].cloud < points[18].edge);
}

#[test]
fn f9_memory_gate() {
    assert_near(memory_needed(Bytes(4.1e9)).0, 6.15e9, 1.0);
}

#[test]
fn f10_weight_bytes() {
    for (bits, want) in [(16.0, 14e9), (8.0, 7e9), (4.0, 3.5e9)] {
        assert_eq!(weight_bytes(7e9, bits), Bytes(want));
    }
}

#[test]
fn f11_decode_ceiling() {
    for (bandwidth, weights, want) in
        [(50e9, 4.1e9, 12.2), (150e9, 4.1e9, 36.6), (50e9, 14e9, 3.57), (150e9, 14e9, 10.7)]
    {
        let ceiling = decode_ceiling(BytesPerSecond(bandwidth), Bytes(weights)).unwrap();
        assert_near(ceiling.0, want, 0.05);
    }
    assert_eq!(decode_ceiling(BytesPerSecond(1.0), Bytes(0.0)), None);
}

#[test]
fn the_verdict_is_said_in_words() {
    assert_eq!(
        report(seed()).sentence(),
        "At 2,000,000 requests a month over 36 months the cloud costs $54,000 and the edge $34,400: \
         the edge saves $19,600 (36.3 %)."
    );
    assert_eq!(
        report(seed()).threshold_sentence(),
        "Over 36 months the edge is cheaper above 1,274,074 requests a month; at your volume it has paid for \
         itself in month 19."
    );
    assert!(report(at(1e5)).threshold_sentence().ends_with("never pays for itself."));
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    (1e-6..1.0, 1.0..1e10, 1u32..=120, 0.0..1e7, 0.0..1e5, 0.0..1e7).prop_map(
        |(price, volume, months, capex, lifecycle, engineering)| Scenario {
            usd_per_request: UsdPerRequest(price),
            requests_per_month: RequestsPerMonth(volume),
            horizon: Months(months),
            capex: Usd(capex),
            lifecycle: UsdPerMonth(lifecycle),
            engineering: Usd(engineering),
        },
    )
}

proptest! {
    #[test]
    fn the_saving_grows_with_volume(scenario in scenarios(), factor in 1.0..10.0f64) {
        let more = RequestsPerMonth((scenario.requests_per_month.0 * factor).min(1e10));
        let grown = Scenario { requests_per_month: more, ..scenario };
        prop_assert!(report(grown).saving >= report(scenario).saving);
    }

    #[test]
    fn at_the_tipping_volume_both_cost_the_same(scenario in scenarios()) {
        let tipping = report(scenario).tipping_volume.unwrap();
        prop_assume!(tipping.0 <= 1e10);
        let at_tip = report(Scenario { requests_per_month: tipping, ..scenario });
        prop_assert_eq!(at_tip.verdict, Verdict::Equal, "off by {}", at_tip.cloud.0 - at_tip.edge.0);
        let above = RequestsPerMonth(tipping.0 * (1.0 + 1e-12));
        let above = report(Scenario { requests_per_month: above, ..scenario });
        prop_assert!(above.verdict == Verdict::EdgeCheaper || above.edge.0 == 0.0);
    }

    #[test]
    fn the_break_even_month_is_where_the_series_cross(scenario in scenarios()) {
        let points = cumulative(&scenario);
        let crossed = points.iter().position(|p| p.cloud.0 >= p.edge.0 * (1.0 - 1e-12));
        let month = report(scenario).break_even.month.filter(|m| *m <= scenario.horizon.0);
        // Rounding may put an exact tie on either side of a month's end.
        match (crossed, month) {
            (Some(crossed), Some(month)) => prop_assert!(crossed.abs_diff(month as usize) <= 1),
            (None, None) => {}
            (crossed, month) => {
                let exact = report(scenario).break_even.exact_months.unwrap_or(f64::INFINITY);
                prop_assert!((exact - f64::from(scenario.horizon.0)).abs() < 1e-6, "{crossed:?} {month:?}");
            }
        }
    }
}
