//! Inputs: ranges, choices, files.

use economics::*;

fn number(key: &str, value: f64) -> (String, Given) {
    (key.to_owned(), Given::Number(value))
}

fn text(key: &str, value: &str) -> (String, Given) {
    (key.to_owned(), Given::Text(value.to_owned()))
}

#[test]
fn every_field_reads_what_it_wrote_and_holds_its_default() {
    for field in FIELDS {
        let mut scenario = Scenario::seed_example();
        field.check((field.get)(&scenario)).unwrap();
        (field.set)(&mut scenario, field.max);
        assert_eq!((field.get)(&scenario), field.max, "{}", field.key);
        assert!(field.min <= field.slider_min && field.slider_max <= field.max, "{}", field.key);
        assert!(!field.log || field.slider_min > 0.0, "{}", field.key);
        assert!(field.step > 0.0 && field.key.starts_with(field.group.name()), "{}", field.key);
        assert_eq!(FIELDS.iter().filter(|other| other.key == field.key).count(), 1);
    }
}

#[test]
fn every_choice_takes_each_of_its_options() {
    for choice in CHOICES {
        let mut scenario = Scenario::seed_example();
        for index in 0..choice.options.len() {
            (choice.set)(&mut scenario, index);
            assert_eq!((choice.get)(&scenario), index, "{}", choice.key);
        }
        (choice.set)(&mut scenario, 99);
        assert_eq!((choice.get)(&scenario), choice.options.len() - 1);
    }
}

/// Every number of a scenario is a field: one that is not could be neither entered nor checked.
#[test]
fn fields_and_choices_are_the_whole_scenario() {
    let value = serde_json::to_value(Scenario::seed_example()).unwrap();
    let mut keys: Vec<String> = Vec::new();
    for (group, inputs) in value.as_object().unwrap() {
        keys.extend(inputs.as_object().unwrap().keys().map(|name| format!("{group}.{name}")));
    }
    let mut known: Vec<&str> = FIELDS.iter().map(|f| f.key).chain(CHOICES.iter().map(|c| c.key)).collect();
    keys.sort();
    known.sort_unstable();
    assert_eq!(keys, known);
}

#[test]
fn all_bad_inputs_are_named_at_once() {
    let mut s = Scenario::seed_example();
    s.cloud.usd_per_request = UsdPerRequest(-1.0);
    s.finance.horizon = Months(0);
    s.edge.capex = Usd(f64::NAN);
    let errors = evaluate(&s).unwrap_err();
    let keys: Vec<_> = errors.iter().map(InputError::key).collect();
    assert_eq!(keys, ["finance.horizon", "cloud.usd_per_request", "edge.capex"]);
    assert_eq!(errors[0].to_string(), "finance.horizon is 0; it must be a number from 1 to 120 (months)");
}

#[test]
fn a_file_is_refused_with_everything_that_is_wrong() {
    let given = [
        number("demand.requests_per_month", -1.0),
        number("finance.horizon", 36.5),
        text("edge.capex", "much"),
        text("cloud.price", "per_day"),
        number("cloud.usd_per_requst", 1.0),
        number("clod.price", 1.0),
        ("edge.lifecycle".to_owned(), Given::Other("[1, 2]".to_owned())),
    ];
    let errors = read_inputs(&given).unwrap_err();
    let said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 7);
    assert!(
        said[0].starts_with("demand.requests_per_month is -1; it must be a number from 0 to 10000000000")
    );
    assert!(said[1].starts_with("finance.horizon is 36.5; it must be a whole number from 1 to 120"));
    assert!(said[2].starts_with("edge.capex is “much”; it must be a number from 0 to"));
    assert_eq!(said[3], "cloud.price is “per_day”; it must be one of per_request, per_token, per_second");
    assert!(said[4].contains("cloud.usd_per_request"), "{}", said[4]);
    assert!(said[5].contains("[demand]") && said[5].contains("[policy]"), "{}", said[5]);
    assert!(said[6].starts_with("edge.lifecycle is [1, 2]; it must be a number"));
}

#[test]
fn a_share_and_a_price_of_egress_exclude_each_other() {
    let both = [
        text("cloud.egress", "share_of_total"),
        number("cloud.egress_share", 0.2),
        number("cloud.egress_usd_per_gb", 0.09),
    ];
    let errors = read_inputs(&both).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].to_string(),
        "cloud.egress_usd_per_gb is given but has no effect here: cloud.price is per_request, \
         cloud.egress is share_of_total"
    );
    assert_eq!(read_inputs(&both[..2]).unwrap().cloud.egress, EgressBasis::ShareOfTotal);
}

#[test]
fn a_written_file_names_every_input_and_explains_every_option() {
    let file = write_inputs(&Scenario::seed_example());
    for field in FIELDS {
        let name = field.key.split_once('.').unwrap().1;
        assert!(file.contains(&format!("{name} = ")), "{}", field.key);
    }
    for option in CHOICES.iter().flat_map(|choice| choice.options) {
        assert!(file.contains(option.explanation), "{}", option.name);
    }
    assert!(file.contains("requests_per_month = 2000000.0 # Volume: requests per month, 0 to 10000000000"));
    assert!(file.contains("\n#usd_per_million_input = "), "prices of tokens have no effect here");
}
