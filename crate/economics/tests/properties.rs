//! What must hold for every scenario, not only for those with pinned results.
// proptest, which draws inputs here, is for native targets.
#![cfg(not(target_arch = "wasm32"))]

use economics::*;
use proptest::prelude::*;
use proptest::sample::Index;

/// Scenarios with every input somewhere on its slider and every choice made at random.
fn scenarios() -> impl Strategy<Value = Scenario> {
    let numbers = proptest::collection::vec(0.0..=1.0f64, FIELDS.len());
    let options = proptest::collection::vec(any::<Index>(), CHOICES.len());
    (numbers, options).prop_map(|(numbers, options)| {
        let mut s = Scenario::seed_example();
        for (field, part) in FIELDS.iter().zip(numbers) {
            let low = field.slider_min;
            let high = field.slider_max;
            let value = if field.log { low * (high / low).powf(part) } else { low + (high - low) * part };
            (field.set)(&mut s, if field.whole { value.round() } else { value }.clamp(low, high));
        }
        for (choice, index) in CHOICES.iter().zip(options) {
            (choice.set)(&mut s, index.index(choice.options.len()));
        }
        s
    })
}

/// The article's kind of case, with discounting, growth and a price path.
fn simple() -> impl Strategy<Value = Scenario> {
    let money = (1e-6..1.0, 1.0..1e9f64, 1u32..=120, 0.0..1e7, 0.0..1e5, 0.0..1e7);
    (money, 0.0..0.5f64, -0.05..0.05f64, -0.2..0.6f64).prop_map(|(money, rate, growth, decline)| {
        let (price, volume, months, capex, maintenance, engineering) = money;
        let mut s = Scenario::seed_example().at_volume(RequestsPerMonth(volume));
        s.cloud.usd_per_request = UsdPerRequest(price);
        s.finance.horizon = Months(months);
        (s.edge.capex, s.edge.lifecycle) = (Usd(capex), UsdPerMonth(maintenance));
        s.engineering.lump_sum = Usd(engineering);
        s.finance.hurdle_rate = Share(rate);
        s.demand.growth_per_month = Share(growth);
        s.finance.price_decline_per_year = Share(decline);
        s
    })
}

fn fleet_of_its_own() -> impl Strategy<Value = Scenario> {
    (scenarios(), 50.0..5_000.0f64, 1e-4..1e-2f64, any::<bool>()).prop_map(|(mut s, device, price, fails)| {
        s.edge.fleet = FleetBasis::Sized;
        s.edge.device_price = Usd(device);
        s.cloud.price = PriceBasis::PerRequest;
        s.cloud.usd_per_request = UsdPerRequest(price);
        if !fails {
            s.edge.failures_per_year = Share(0.0);
        }
        s
    })
}

fn saving(s: &Scenario, d: Deployment) -> f64 {
    let all = totals(s);
    all[Deployment::Cloud as usize].present.0 - all[d as usize].present.0
}

proptest! {
    #[test]
    fn every_cost_grows_with_volume(s in scenarios(), factor in 1.0..10.0f64) {
        let more = s.at_volume(RequestsPerMonth(s.demand.requests_per_month.0 * factor));
        for (less, more) in totals(&s).iter().zip(totals(&more)) {
            prop_assert!(more.undiscounted.0 >= less.undiscounted.0 * (1.0 - 1e-12));
        }
    }

    #[test]
    fn every_scenario_has_a_finite_report(s in scenarios()) {
        let report = evaluate(&s).unwrap();
        for total in report.bills.iter().map(|bill| bill.total) {
            prop_assert!(total.present.0.is_finite() && total.undiscounted.0.is_finite());
        }
        for (bill, total) in report.bills.iter().zip(totals(&s)) {
            prop_assert_eq!(bill.total, total);
        }
        let last = cumulative(&s).pop().unwrap();
        prop_assert_eq!(last.totals, totals(&s));
        for d in Deployment::ALL {
            let end = waterfall(&s, d).pop().unwrap().after.0;
            let size = totals(&s)[0].present.0.abs() + totals(&s)[d as usize].present.0.abs();
            prop_assert!((end - saving(&s, d)).abs() <= 1e-12 * size);
        }
    }

    /// Every shown amount can be traced: what a line does not name among its inputs does not move it.
    #[test]
    fn a_line_names_every_input_it_is_made_from(s in scenarios(), other in scenarios()) {
        for d in Deployment::ALL {
            let before = bill(&s, d);
            for field in FIELDS {
                let mut moved = s;
                (field.set)(&mut moved, (field.get)(&other));
                let after = bill(&moved, d);
                for line in before.lines.iter().filter(|line| !line.line.inputs.iter().any(|key| key == field.key)) {
                    let same = after.lines.iter().find(|l| l.line.label == line.line.label);
                    // A discount or a shorter horizon leaves what is paid as it is.
                    let flow = same.map(|l| l.line.flow);
                    prop_assert_eq!(flow, Some(line.line.flow), "{} moves {}", field.key, line.line.label);
                }
            }
        }
    }

    #[test]
    fn a_written_file_holds_every_input(s in scenarios()) {
        let given: Vec<(String, Given)> = CHOICES
            .iter()
            .map(|c| (c.key.to_owned(), Given::Text(c.options[(c.get)(&s)].name.to_owned())))
            .chain(
                FIELDS
                    .iter()
                    .filter(|f| (f.relevant)(&s))
                    .map(|f| (f.key.to_owned(), Given::Number((f.get)(&s)))),
            )
            .collect();
        // Inputs without effect keep their defaults, and no total depends on them.
        let read = read_inputs(&given).unwrap();
        prop_assert_eq!(totals(&read), totals(&s));
        prop_assert_eq!(decide(&read, &Evidence::default()), decide(&s, &Evidence::default()));
    }

    #[test]
    fn at_the_break_even_volume_both_cost_the_same(s in simple()) {
        let found = break_even_volumes(&s, Deployment::Edge, Basis::Present);
        let tip = found.first.unwrap();
        let at = totals(&s.at_volume(tip));
        let cloud = at[0].present.0;
        let edge = at[1].present.0;
        prop_assert!((cloud - edge).abs() <= 1e-12 * edge.max(1e-9), "{cloud} {edge}");
        prop_assert!(saving(&s.at_volume(RequestsPerMonth(tip.0 * 1.001 + 1.0)), Deployment::Edge) > 0.0);
    }

    #[test]
    fn undiscounted_is_the_limit_of_discounted(mut s in simple()) {
        s.finance.hurdle_rate = Share(1e-9);
        for total in totals(&s) {
            let size = total.undiscounted.0.abs();
            prop_assert!((total.undiscounted.0 - total.present.0).abs() <= 1e-7 * size);
        }
        s.finance.hurdle_rate = Share(0.0);
        for total in totals(&s) {
            let size = total.undiscounted.0.abs();
            prop_assert!((total.undiscounted.0 - total.present.0).abs() <= 1e-12 * size);
        }
    }

    #[test]
    fn crossings_of_a_staircase_change_the_sign(s in fleet_of_its_own()) {
        let found = break_even_volumes(&s, Deployment::Edge, Basis::Present);
        prop_assume!(found.complete);
        let sign = |volume: f64| saving(&s.at_volume(RequestsPerMonth(volume)), Deployment::Edge) > 0.0;
        let (Some(first), Some(last)) = (found.first, found.last) else { return Ok(()) };
        for at in [first.0, last.0] {
            prop_assert_ne!(sign(at * (1.0 - 1e-9)), sign(at * (1.0 + 1e-9)), "{:?}", found);
        }
        // Nothing crosses beyond the last, nor before the first.
        for step in 1..200 {
            let beyond = last.0 * (1.0 + 1e-6 + f64::from(step) * 0.01);
            prop_assert_eq!(sign(beyond), found.cheaper_above, "{} {:?}", beyond, found);
            let before = first.0 * (1.0 - 1e-6) * f64::from(step) / 200.0;
            prop_assert_eq!(sign(before), sign(first.0 * (1.0 - 1e-9)), "{} {:?}", before, found);
        }
    }

    #[test]
    fn without_a_crossing_one_side_is_cheaper_everywhere(s in fleet_of_its_own()) {
        let found = break_even_volumes(&s, Deployment::Edge, Basis::Present);
        prop_assume!(found.first.is_none());
        for power in 0..36 {
            let at = s.at_volume(RequestsPerMonth(10f64.powf(f64::from(power) * 0.25)));
            prop_assert_eq!(saving(&at, Deployment::Edge) > 0.0, found.cheaper_above, "{:?}", found);
        }
    }

    #[test]
    fn the_break_even_month_is_where_the_series_cross(s in simple()) {
        let points = cumulative(&s);
        let paid = |p: &CumulativePoint, d: Deployment| p.totals[d as usize].present.0;
        let crossed = points
            .iter()
            .position(|p| paid(p, Deployment::Cloud) >= paid(p, Deployment::Edge) * (1.0 - 1e-11));
        let month = break_even(&s, Deployment::Edge, Basis::Present).month;
        let within = month.filter(|m| *m <= s.finance.horizon.0);
        prop_assert_eq!(crossed.map(|m| m as u32), within);
    }

    #[test]
    fn at_the_internal_rate_of_return_the_choice_is_worth_nothing(s in simple()) {
        let Some(irr) = irr(&s, Deployment::Edge) else { return Ok(()) };
        if !(0.0..=1.0).contains(&irr.yearly) {
            return Ok(());
        }
        let mut at = s;
        at.finance.hurdle_rate = Share(irr.yearly);
        let cloud = totals(&at)[0].present.0;
        prop_assert!(saving(&at, Deployment::Edge).abs() <= 1e-9 * cloud);
    }
}
