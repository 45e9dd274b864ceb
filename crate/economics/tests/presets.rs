//! The dated data: complete, consistent with the inputs, and the cases that it says they are.

use economics::uncertainty::{MonteCarlo, Plan, Shape, Uncertain, tornado};
use economics::{
    Assumption, Basis, CHOICES, DataPolicy, Deployment, FIELDS, Field, Figure, Kind, Ledger, Preset,
    PriceBasis, RequestsPerMonth, Scenario, SetBy, Share, Usd, article_defects, defaults, presets,
    request_price, totals,
};

/// `YYYY-MM-DD` or `YYYY-MM`, of months and days that exist and not after these files were written.
fn is_date(text: &str) -> bool {
    let parts: Option<Vec<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    digits
        && matches!(text.len(), 7 | 10)
        && match parts.as_deref() {
            Some([year, month, rest @ ..]) => {
                (2021..=2026).contains(year)
                    && (1..=12).contains(month)
                    && rest.iter().all(|day| (1..=31).contains(day))
                    && rest.len() <= 1
            }
            _ => false,
        }
}

fn files() -> Vec<Preset> {
    let mut files = presets();
    files.push(defaults());
    files
}

/// A key that nothing reads would be a figure that nobody uses.
#[test]
fn the_files_hold_nothing_else() {
    for preset in files() {
        let id = if preset == defaults() { "defaults" } else { &preset.id };
        let path = format!("{}/presets/{id}.json", env!("CARGO_MANIFEST_DIR"));
        let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let count = |value: &serde_json::Value| {
            value["assumptions"].as_array().unwrap().iter().map(keys).sum::<usize>()
        };
        assert_eq!(count(&file), count(&serde_json::to_value(&preset).unwrap()), "{path}");
    }
}

fn keys(object: &serde_json::Value) -> usize {
    object.as_object().unwrap().len()
}

#[test]
fn every_figure_has_a_field_a_unit_a_range_a_source_and_a_date() {
    for Preset { id, assumptions, .. } in files() {
        for Assumption { figure: a, shape } in assumptions {
            let at = format!("{id}: {}", a.key);
            let field = Field::of(&a.key).unwrap_or_else(|| panic!("{at} is no input"));
            assert_eq!(a.unit, field.unit, "{at}");
            field.check(a.value).unwrap_or_else(|error| panic!("{at}: {error}"));
            Uncertain::new(field, (a.low, a.value, a.high), shape)
                .unwrap_or_else(|error| panic!("{at}: {error}"));
            assert!(a.source.len() > 10 && a.source.trim() == a.source, "{at}");
            assert!(is_date(&a.retrieved), "{at}: {}", a.retrieved);
            assert_ne!(a.kind, Kind::Measured, "{at}: nothing is measured before it is");
        }
    }
}

#[test]
fn every_choice_has_an_option_a_source_and_a_date() {
    for Preset { id, choices, .. } in files() {
        for c in choices {
            let at = format!("{id}: {}", c.key);
            let choice = CHOICES.iter().find(|choice| choice.key == c.key).unwrap_or_else(|| panic!("{at}"));
            assert!(choice.options.iter().any(|option| option.name == c.option), "{at}: {}", c.option);
            assert!(c.source.len() > 10 && is_date(&c.retrieved), "{at}");
        }
    }
}

#[test]
fn the_defaults_cover_every_input_once_and_are_the_scenario_defaults() {
    let defaults = defaults();
    let keys: Vec<&str> = defaults.assumptions.iter().map(|a| a.figure.key.as_str()).collect();
    assert_eq!(keys, FIELDS.iter().map(|field| field.key).collect::<Vec<_>>());
    let chosen: Vec<&str> = defaults.choices.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(chosen, CHOICES.iter().map(|choice| choice.key).collect::<Vec<_>>());
    assert_eq!(defaults.scenario(), Scenario::default());
}

#[test]
fn presets_are_valid_distinct_and_told_in_a_sentence() {
    let all = presets();
    assert_eq!(all.len(), 6);
    for (i, preset) in all.iter().enumerate() {
        preset.scenario().validate().unwrap_or_else(|errors| panic!("{}: {errors:?}", preset.id));
        assert!(preset.story.ends_with('.') && preset.story.matches(". ").count() == 0, "{}", preset.story);
        assert!(all[..i].iter().all(|other| other.id != preset.id && other.scenario() != preset.scenario()));
        assert_eq!(Preset::of(&preset.id).as_ref(), Some(preset));
        let keys: Vec<&str> = preset.assumptions.iter().map(|a| a.figure.key.as_str()).collect();
        for (j, key) in keys.iter().enumerate() {
            assert!(!keys[..j].contains(key), "{}: {key} twice", preset.id);
            let relevant = Field::of(key).unwrap().relevant;
            assert!(relevant(&preset.scenario()), "{}: {key} has no effect there", preset.id);
        }
    }
    assert_eq!(Preset::of("none"), None);
}

fn scenario(id: &str) -> Scenario {
    Preset::of(id).unwrap().scenario()
}

fn undiscounted(s: &Scenario) -> [f64; 5] {
    totals(s).map(|total| total.undiscounted.0)
}

#[test]
fn the_articles_example_is_the_articles() {
    assert_eq!(scenario("seed-example"), Scenario::seed_example());
}

#[test]
fn the_small_model_api_costs_what_its_story_says() {
    let s = scenario("small-model-api");
    assert_eq!(s.cloud.price, PriceBasis::PerToken);
    assert!((request_price(&s).0 - 4.55e-5).abs() < 1e-12);
    assert_eq!((0.000_75 / request_price(&s).0).floor(), 16.0);
}

#[test]
fn the_hospital_pays_29_000_for_its_rule() {
    let s = scenario("hospital");
    assert_eq!(s.policy.data, DataPolicy::Prohibited);
    let [cloud, edge, ..] = undiscounted(&s);
    assert!((cloud - 5_400.0).abs() < 1e-6 && (edge - 34_400.0).abs() < 1e-6);
    assert!(s.edge.memory.0 >= 6.15);
}

#[test]
fn the_browser_feature_downloads_9_800_gb_a_month() {
    let s = scenario("browser-saas");
    let users = s.demand.requests_per_month.0 / s.demand.requests_per_user.0;
    let downloads = users * (s.demand.new_users.0 + (1.0 - s.demand.new_users.0) * s.browser.evicted.0);
    assert!((users - 50_000.0).abs() < 1e-9 && (downloads - 14_000.0).abs() < 1e-6);
    assert!((downloads * s.browser.download.0 - 9_800.0).abs() < 1e-6);
}

#[test]
fn bars_stand_among_those_of_the_ledger() {
    let ledger = Ledger::new(&Preset::of("seed-example").unwrap());
    let bars = tornado(&ledger.scenario(), &ledger.uncertain(), Deployment::Edge, Basis::Undiscounted);
    for (key, low, high) in [
        ("demand.requests_per_month", -7_400.0, 100_600.0),
        ("finance.horizon", -6_800.0, 46_000.0),
        ("cloud.usd_per_request", 1_600.0, 37_600.0),
        ("edge.lifecycle", 26_800.0, -9_200.0),
        ("engineering.lump_sum", 19_600.0, -12_400.0),
    ] {
        let bar = bars.iter().find(|bar| bar.field.key == key).unwrap();
        assert!((bar.savings[0].0 - low).abs() < 1e-6 && (bar.savings[1].0 - high).abs() < 1e-6, "{key}");
    }
    assert!(bars.windows(2).all(|pair| pair[0].swing().0 >= pair[1].swing().0 * (1.0 - 1e-9)));
}

#[test]
fn what_a_visitor_enters_is_marked_and_keeps_its_relative_range() {
    let preset = Preset::of("seed-example").unwrap();
    let mut s = preset.scenario().at_volume(RequestsPerMonth(2e7));
    s.finance.hurdle_rate = Share(0.08);
    s.cloud.price = PriceBasis::PerToken;
    s.edge.capex = Usd(0.0);
    let ledger = Ledger::with(&preset, &s).unwrap();
    assert_eq!(ledger.scenario(), s);
    let of = |key: &str| ledger.entry(key).unwrap();
    let volume = of("demand.requests_per_month");
    assert_eq!(
        (volume.set_by, volume.assumption.figure.low, volume.assumption.figure.high),
        (SetBy::Visitor, 1e7, 5e7)
    );
    let rate = of("finance.hurdle_rate");
    assert_eq!((rate.set_by, rate.assumption.figure.low), (SetBy::Visitor, 0.08));
    assert!((rate.assumption.figure.high - 0.23).abs() < 1e-12);
    assert_eq!(
        (of("edge.capex").assumption.shape, of("edge.capex").assumption.figure.high),
        (Shape::Fixed, 0.0)
    );
    assert_eq!(of("edge.lifecycle").set_by, SetBy::Preset);
    assert_eq!(of("finance.tariff").set_by, SetBy::Defaults);
    let marked: Vec<&str> =
        ledger.choices().iter().filter(|c| c.set_by == SetBy::Visitor).map(|c| c.choice.key).collect();
    assert_eq!(marked, ["cloud.price"]);
    s.finance.hurdle_rate = Share(7.0);
    assert_eq!(Ledger::with(&preset, &s).err().unwrap()[0].key(), "finance.hurdle_rate");
}

/// Wherever an input is put, its range holds it and stays within what it may be.
#[test]
fn moved_ranges_are_ranges() {
    for preset in presets() {
        for field in FIELDS {
            for part in [0.0, 1e-9, 0.25, 0.5, 1.0] {
                let value = field.min + part * (field.max - field.min);
                let value = if field.whole { value.round() } else { value };
                let mut s = preset.scenario();
                (field.set)(&mut s, value);
                let ledger = Ledger::with(&preset, &s).unwrap();
                let Uncertain { low, value, high, shape, .. } = ledger.entry(field.key).unwrap().uncertain();
                let checked = Uncertain::new(field, (low, value, high), shape);
                assert!(checked.is_ok(), "{}: {}", preset.id, checked.err().unwrap());
            }
        }
    }
}

#[test]
fn a_measurement_and_a_range_of_ones_own_replace_what_was_assumed() {
    let mut ledger = Ledger::new(&Preset::of("browser-saas").unwrap());
    let figure = Figure {
        key: "browser.tokens_per_second".into(),
        value: 31.4,
        unit: "tokens per second".into(),
        low: 30.1,
        high: 32.0,
        source: "measured in this tab".into(),
        retrieved: "2026-11-25".into(),
        kind: Kind::Measured,
    };
    let measured = |figure| Assumption { figure, shape: Shape::Triangular };
    ledger.measure(measured(figure.clone())).unwrap();
    assert_eq!(ledger.scenario().browser.tokens_per_second.0, 31.4);
    assert_eq!(ledger.entry("browser.tokens_per_second").unwrap().set_by, SetBy::Device);
    let wrong = measured(Figure { low: 40.0, ..figure.clone() });
    assert!(ledger.measure(wrong).unwrap_err().to_string().contains("browser.tokens_per_second"));
    let unknown = measured(Figure { key: "browser.speed".into(), ..figure });
    assert!(ledger.measure(unknown).unwrap_err().to_string().contains("browser.speed is not an input"));
    ledger.range("browser.coverage", 0.6, 0.9, Shape::Pert).unwrap();
    let coverage = ledger.entry("browser.coverage").unwrap();
    assert_eq!((coverage.set_by, coverage.assumption.figure.low), (SetBy::Visitor, 0.6));
    assert!(ledger.range("browser.coverage", 0.9, 0.6, Shape::Pert).is_err());
}

#[test]
fn every_preset_can_be_run() {
    for preset in presets() {
        let ledger = Ledger::new(&preset);
        let plan = Plan { seed: 1, trials: 2000, basis: Basis::Present, considered: [true; 5] };
        let mut run = MonteCarlo::new(&ledger.scenario(), &ledger.uncertain(), plan);
        assert_eq!(run.run(2000), 0);
        let found = run.summary().unwrap();
        for q in found.total {
            assert!(q.p10.0.is_finite() && q.p90.0.is_finite() && q.p10.0 <= q.p90.0, "{}", preset.id);
        }
        println!(
            "{}: cheapest {:?}, {:?}",
            preset.id,
            found.probabilities.cheapest,
            found.total.map(|q| q.p50.0.round())
        );
    }
}

#[test]
fn all_21_defects_are_told() {
    let defects = article_defects();
    assert_eq!(defects.iter().map(|d| d.id).collect::<Vec<_>>(), (1..=21).collect::<Vec<_>>());
    for d in &defects {
        assert!(
            [&d.claim, &d.finding, &d.action].iter().all(|text| text.len() > 10 && text.ends_with('.')),
            "{d:?}"
        );
    }
}
