//! The drawings' geometry, what is left out of them, the JSON that `charts.js` reads, and the tables beside them.
#![cfg(not(target_arch = "wasm32"))]

use page::charts::drawings::{
    Axis, Band, Chart, End, Gate, Line, Mark, Outcome, Path, Role, Row, Step, StepKind, Swing, Table,
    Tornado, Unit, Waterfall, gate_names,
};
use page::charts::scales::{Scale, Span, drawable, short_usd, tornado, waterfall};
use page::shared::origin::Origin;
use serde_json::json;

fn end(value: f64) -> End {
    End { input: format!("at {value}"), value, text: format!("${value}") }
}

fn swing(label: &str, low: f64, high: f64) -> Swing {
    let changes_verdict = (low > 0.0) != (high > 0.0);
    Swing { label: label.into(), low: end(low), high: end(high), changes_verdict, detail: String::new() }
}

fn swings(base: f64, rows: Vec<Swing>) -> Tornado {
    let [measure, base_text, below_zero, above_zero] =
        ["Saving", "$", "cloud cheaper", "edge cheaper"].map(str::to_owned);
    Tornado { measure, base, base_text, below_zero, above_zero, rows }
}

fn step(amount: f64, kind: StepKind) -> Step {
    Step { label: "Step".into(), amount, text: format!("${}", amount.abs()), kind, detail: String::new() }
}

fn steps(of: &[(f64, StepKind)]) -> Waterfall {
    let steps = of.iter().map(|(amount, kind)| step(*amount, *kind)).collect();
    Waterfall { measure: "Present value".into(), steps }
}

fn axis(log: bool, values: &[f64]) -> Axis {
    Axis { label: "Month".into(), unit: Unit::Count, log, values: values.to_vec() }
}

fn line(role: Role, values: &[Option<f64>]) -> Line {
    Line { label: role.key().into(), role, values: values.to_vec(), band: None }
}

fn chart(log: bool, x: &[f64], series: Vec<Line>) -> Chart {
    Chart { x: axis(log, x), y: Axis { unit: Unit::Usd, ..axis(log, &[]) }, series, marks: Vec::new() }
}

#[test]
fn a_scale_ends_on_round_numbers_around_its_values() {
    let scale = Scale::around([-7_400.0, 100_600.0]);
    assert_eq!((scale.from, scale.to), (-25_000.0, 125_000.0));
    assert_eq!(scale.ticks, [-25e3, 0.0, 25e3, 50e3, 75e3, 100e3, 125e3]);
    assert_eq!(Scale::around([0.0, 54_000.0]).ticks, [0.0, 20e3, 40e3, 60e3]);
    assert_eq!(Scale::around([0.0, 1e-5]).ticks.len(), 6, "cents of a cent have ticks too");
    assert_eq!((scale.at(-25e3), scale.at(50e3), scale.at(125e3)), (0.0, 0.5, 1.0));
    assert_eq!(Scale::around([-50e3, 150e3]).span(100e3, 0.0), Span { start: 0.25, length: 0.5 });
}

#[test]
fn a_scale_of_nothing_of_one_value_and_of_huge_ones_is_still_a_scale() {
    for values in [vec![], vec![f64::NAN], vec![f64::INFINITY, f64::NAN]] {
        let scale = Scale::around(values);
        assert_eq!((scale.from, scale.to, scale.at(0.5)), (0.0, 1.0, 0.5));
    }
    for value in [0.0, 19_600.0, -3.0, 1e-9, 1e300, -1e300, f64::MAX] {
        let scale = Scale::around([value, value]);
        assert!(scale.from <= value && value <= scale.to, "{value}: {scale:?}");
        let at = scale.at(value);
        assert!((0.0..=1.0).contains(&at) && scale.ticks.len() <= 8, "{value}: {scale:?}");
    }
    let both = Scale::around([-f64::MAX, f64::MAX]);
    assert!((0.0..=1.0).contains(&both.at(0.0)) && both.ticks.len() <= 8, "{both:?}");
    assert_eq!(Scale::around([1.0, 2.0]).at(f64::NAN), 0.0);
    assert_eq!(Scale::around([1.0, 2.0]).at(9e9), 1.0, "nothing leaves the drawing");
}

#[test]
fn ticks_are_written_short() {
    let written = [0.0, -0.0, 250.0, -7_500.0, 20_000.0, 999_600.0, 1.2e6, 3e9, 0.000_75].map(short_usd);
    assert_eq!(written, ["$0", "$0", "$250", "−$7.5K", "$20K", "$1M", "$1.2M", "$3B", "$0.00075"]);
}

#[test]
fn a_tornado_shows_the_line_where_the_verdict_changes_unless_it_is_far() {
    let near =
        swings(19_600.0, vec![swing("Volume", -7_400.0, 100_600.0), swing("Price", 1_600.0, 37_600.0)]);
    assert!(tornado(&near).0.holds(0.0));
    let beside = swings(3_000.0, vec![swing("Price", 2_000.0, 5_000.0)]);
    assert!(tornado(&beside).0.holds(0.0), "zero is nearer than the bars are long");
    let far = swings(1_000_500.0, vec![swing("Price", 1_000_000.0, 1_001_000.0)]);
    assert!(!tornado(&far).0.holds(0.0), "a far zero would squeeze the bars");
    let below = swings(-3_000.0, vec![swing("Price", -5_000.0, -2_000.0)]);
    assert!(tornado(&below).0.holds(0.0));
}

#[test]
fn a_tornado_keeps_the_order_and_leaves_out_what_is_no_number() {
    let rows = vec![
        swing("a", 3.0, 1.0),
        swing("b", f64::NAN, 2.0),
        swing("c", 0.0, f64::INFINITY),
        swing("d", 2.0, 2.0),
    ];
    let data = swings(2.0, rows);
    let (scale, kept) = tornado(&data);
    assert_eq!(kept, [0, 3]);
    assert_eq!(scale.span(2.0, 2.0).length, 0.0);
    assert_eq!(tornado(&swings(f64::NAN, Vec::new())), (Scale::around([]), Vec::new()));
    assert_eq!(tornado(&swings(5.0, vec![swing("only", 5.0, 5.0)])).1, [0]);
}

#[test]
fn a_waterfall_runs_from_its_start_to_its_total() {
    let data = steps(&[
        (54_000.0, StepKind::Start),
        (12_000.0, StepKind::Subtract),
        (22_400.0, StepKind::Subtract),
        (19_600.0, StepKind::Total),
    ]);
    let (scale, bars) = waterfall(&data);
    assert_eq!(bars.iter().map(|r| r.after).collect::<Vec<_>>(), [54_000.0, 42_000.0, 19_600.0, 19_600.0]);
    assert_eq!(bars.iter().map(|r| r.foot).collect::<Vec<_>>(), [0.0, 54_000.0, 42_000.0, 0.0]);
    assert_eq!((scale.from, scale.to), (0.0, 60_000.0));
    let second = scale.span(bars[1].foot, bars[1].after);
    assert!((second.start - 0.7).abs() < 1e-12 && (second.length - 0.2).abs() < 1e-12, "{second:?}");
}

#[test]
fn a_waterfall_may_cross_zero_be_empty_and_have_holes() {
    let data = steps(&[
        (10.0, StepKind::Start),
        (f64::NAN, StepKind::Add),
        (30.0, StepKind::Subtract),
        (5.0, StepKind::Add),
        (-15.0, StepKind::Total),
    ]);
    let (scale, bars) = waterfall(&data);
    assert_eq!(bars.iter().map(|r| r.step).collect::<Vec<_>>(), [0, 2, 3, 4]);
    assert_eq!(bars.iter().map(|r| r.change()).collect::<Vec<_>>(), [10.0, -30.0, 5.0, -15.0]);
    assert!(scale.holds(0.0) && scale.holds(-20.0) && scale.holds(10.0));
    assert!(waterfall(&steps(&[])).1.is_empty());
    assert!(waterfall(&steps(&[(-3.0, StepKind::Start)])).0.holds(0.0), "zero is always there");
}

#[test]
fn a_step_says_with_a_sign_what_it_does() {
    let signed = |amount, kind| Step { text: "−$5".into(), ..step(amount, kind) }.signed();
    assert_eq!(step(5.0, StepKind::Add).signed(), "+$5");
    assert_eq!(step(5.0, StepKind::Subtract).signed(), "−$5");
    assert_eq!(step(5.0, StepKind::Total).signed(), "$5");
    assert_eq!(signed(-5.0, StepKind::Add), "−$5");
    assert_eq!(signed(-5.0, StepKind::Subtract), "+$5");
    assert_eq!(signed(-5.0, StepKind::Total), "−$5");
}

#[test]
fn the_chart_reaches_the_drawing_code_in_the_shape_it_reads() {
    let mut data = chart(false, &[0.0, 1.0], vec![line(Role::Browser, &[Some(1.5), None])]);
    data.series[0].band = Some(Band { low: vec![Some(1.0), None], high: vec![Some(2.0), None] });
    data.marks.push(Mark { x: 0.5, y: 1.5, label: "here".into() });
    assert_eq!(
        serde_json::to_value(drawable(&data)).unwrap(),
        json!({
            "x": { "label": "Month", "unit": "count", "log": false, "values": [0.0, 1.0] },
            "y": { "label": "Month", "unit": "usd", "log": false, "values": [] },
            "series": [{
                "label": "browser",
                "role": "browser",
                "values": [1.5, null],
                "band": { "low": [1.0, null], "high": [2.0, null] },
            }],
            "marks": [{ "x": 0.5, "y": 1.5, "label": "here" }],
        })
    );
    let roles = [Role::Cloud, Role::Edge, Role::Endpoint, Role::Browser, Role::Hybrid];
    for role in roles {
        assert_eq!(serde_json::to_value(role).unwrap(), role.key(), "classes and JSON name it alike");
    }
}

#[test]
fn what_cannot_be_drawn_is_left_out() {
    let values = [Some(1.0), Some(f64::NAN), Some(f64::INFINITY), Some(4.0), Some(5.0), Some(6.0)];
    let mut data = chart(false, &[0.0, 1.0, f64::NAN, 1.0, 2.0], vec![line(Role::Cloud, &values)]);
    data.series.push(line(Role::Edge, &[Some(9.0)]));
    data.marks = [(f64::NAN, 1.0), (1.0, f64::NAN), (1.0, 2.0)]
        .map(|(x, y)| Mark { x, y, label: String::new() })
        .to_vec();
    let drawn = drawable(&data);
    assert_eq!(drawn.x.values, [0.0, 1.0, 2.0], "x only rises");
    assert_eq!(drawn.series[0].values, [Some(1.0), None, Some(5.0)]);
    assert_eq!(drawn.series[1].values, [Some(9.0), None, None], "every line is as long as the axis");
    assert_eq!(drawn.marks.len(), 1);
    let empty = drawable(&chart(true, &[], Vec::new()));
    assert!(empty.x.values.is_empty() && empty.series.is_empty());
}

#[test]
fn a_log_axis_has_no_place_for_zero_and_below() {
    let mut data = chart(true, &[-1.0, 0.0, 1.0, 10.0], vec![line(Role::Cloud, &[Some(1.0); 4])]);
    data.series[0].values[3] = Some(0.0);
    data.series[0].band = Some(Band { low: vec![Some(-1.0); 4], high: vec![Some(3.0); 4] });
    let drawn = drawable(&data);
    assert_eq!(drawn.x.values, [1.0, 10.0]);
    assert_eq!(drawn.series[0].values, [Some(1.0), None]);
    let band = drawn.series[0].band.as_ref().unwrap();
    assert_eq!((&band.low[..], &band.high[..]), (&[None, None][..], &[Some(3.0), Some(3.0)][..]));
}

fn table() -> Table {
    let row = |cells: [&str; 2], note: Option<&str>| Row {
        cells: cells.map(str::to_owned).to_vec(),
        note: note.map(str::to_owned),
    };
    Table {
        heads: vec!["Month".into(), "Cloud, \"API\"".into()],
        rows: vec![row(["19", "$28,500"], Some("pays\tfor itself")), row(["20", "−$1,200"], None)],
    }
}

#[test]
fn a_table_is_copied_as_separated_values() {
    let csv = "Month,\"Cloud, \"\"API\"\"\",Note\r\n19,\"$28,500\",pays\tfor itself\r\n20,\"-$1,200\",\r\n";
    assert_eq!(table().csv(), csv);
    let tsv = "Month\tCloud, \"API\"\tNote\n19\t$28,500\tpays for itself\n20\t-$1,200\t\n";
    assert_eq!(table().tsv(), tsv);
    assert_eq!(Table::default().csv(), "\r\n");
}

#[test]
fn no_cell_becomes_a_formula() {
    let mut data = table();
    for (typed, copied) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("-cmd", "'-cmd"), ("+$4", "+$4"), ("-5", "-5")]
    {
        data.rows[0].cells[0] = typed.into();
        assert!(data.tsv().contains(&format!("\n{copied}\t")), "{typed}: {}", data.tsv());
    }
}

#[test]
fn tornado_and_waterfall_say_the_same_as_tables() {
    let data = swings(2.0, vec![swing("Volume", -1.0, 3.0)]);
    let row = &data.table().rows[0];
    assert_eq!(row.cells, ["Volume", "at -1", "$-1", "at 3", "$3"]);
    assert_eq!((data.table().heads.len(), row.note.as_deref()), (5, Some("changes the verdict")));
    let table = steps(&[(5.0, StepKind::Start), (2.0, StepKind::Subtract)]).table();
    assert_eq!(table.rows.iter().map(|row| row.cells[1].as_str()).collect::<Vec<_>>(), ["$5", "−$2"]);
}

#[test]
fn the_matrix_has_every_gate_once_in_the_order_asked() {
    let gate = |name: &str| Gate {
        name: name.into(),
        question: String::new(),
        outcome: Outcome::Passed,
        value: String::new(),
        threshold: String::new(),
        origin: Origin::Assumed,
        origin_text: String::new(),
        sentence: String::new(),
    };
    let path = |names: &[&str]| Path {
        option: String::new(),
        role: Role::Edge,
        gates: names.iter().map(|name| gate(name)).collect(),
        feasible: true,
        chosen: false,
        result: String::new(),
    };
    let paths = [path(&["policy", "memory"]), path(&["policy", "quality", "memory"]), path(&[])];
    assert_eq!(gate_names(&paths), ["policy", "memory", "quality"]);
    assert!(gate_names(&[]).is_empty());
}

#[test]
fn outcomes_differ_in_sign_and_in_word() {
    let all = [Outcome::Passed, Outcome::Failed, Outcome::NotChecked, Outcome::Skipped];
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            assert!(one.sign() != other.sign() && one.word() != other.word() && one.key() != other.key());
        }
    }
}
