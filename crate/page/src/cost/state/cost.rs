//! The cost scenarios: what is typed, what it comes to, and how sure that is.

use std::collections::BTreeMap;
use std::sync::Arc;

use economics::uncertainty::Plan;
use economics::{Basis, Deployment, FIELDS, Kind, Ledger, Report, Scenario};
use leptos::prelude::*;

use crate::charts::code::ChartCode;
use crate::cost::model::entries::{Entries, Problem, entry};
use crate::cost::model::evidence::{Known, Times};
use crate::cost::model::presets::presets;
use crate::cost::state::trials::{TRIALS, Trials};

/// A value that this device was measured to have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// In the unit of its input.
    pub(crate) value: f64,
    /// How and when, in words.
    pub(crate) source: String,
    /// The day, `YYYY-MM-DD`.
    pub(crate) day: String,
}

/// Measured times that the decision was handed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fed {
    pub(crate) times: Times,
    /// When they were measured, in words.
    pub(crate) when: String,
}

/// One scenario as it is edited.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// Entries of the form.
    pub(crate) entries: RwSignal<Entries>,
    /// The preset it began as, by its place among the presets.
    pub(crate) preset: RwSignal<usize>,
    /// Measured values put into the form, by key; it counts while the entry still says it.
    readings: RwSignal<BTreeMap<&'static str, Reading>>,
    /// The scenario as far as the entries can be read.
    pub(crate) readable: Memo<Scenario>,
    /// Problems of the entries.
    pub(crate) problems: Memo<Vec<Problem>>,
    /// The last valid entries' result.
    pub(crate) report: Memo<Option<Arc<Report>>>,
    /// Where every input of that result comes from.
    pub(crate) ledger: Memo<Arc<Ledger>>,
}

impl Case {
    fn new(preset: usize, known: RwSignal<Known>) -> Self {
        let entries = RwSignal::new(Entries::of(&presets()[preset].scenario()));
        let preset = RwSignal::new(preset);
        let readings = RwSignal::new(BTreeMap::new());
        let read = Memo::new(move |_| entries.with(Entries::read));
        // Most of what becomes known changes nothing here: then nothing is worked out again.
        let evidence = Memo::new(move |_| {
            let known = known.get();
            read.with(|read| read.as_ref().map(|s| known.evidence(s)).unwrap_or_default())
        });
        // A half-typed number must not empty the charts: the last valid result stays.
        let report = Memo::new(move |before: Option<&Option<Arc<Report>>>| {
            let evidence = evidence.get();
            let report = read.get().ok().and_then(|s| economics::evaluate_with(&s, &evidence).ok());
            report.map(Arc::new).or_else(|| before.cloned().flatten())
        });
        let ledger = move || {
            let preset = &presets()[preset.get()];
            let own = report.with(|report| Ledger::with(preset, &report.as_ref()?.scenario).ok());
            readings.with(|readings| with_readings(own.unwrap_or_else(|| Ledger::new(preset)), readings))
        };
        Self {
            entries,
            preset,
            readings,
            readable: Memo::new(move |_| entries.with(Entries::readable)),
            problems: Memo::new(move |_| read.get().err().unwrap_or_default()),
            report,
            // A ledger is made anew whenever something it is made of changes.
            ledger: Memo::new_with_compare(move |_| Arc::new(ledger()), |_, _| true),
        }
    }

    /// Begins anew from a preset.
    pub(crate) fn start_from(&self, preset: usize) {
        self.preset.set(preset);
        self.readings.set(BTreeMap::new());
        self.entries.set(Entries::of(&presets()[preset].scenario()));
    }

    /// Takes the text typed into a field.
    pub(crate) fn type_in(&self, field: usize, text: String) {
        self.entries.update(|entries| entries.texts[field] = text);
    }

    /// An option that is chosen.
    pub(crate) fn choose(&self, choice: usize, option: usize) {
        self.entries.update(|entries| entries.chosen[choice] = option);
    }

    /// Puts in what this device was measured to have.
    pub(crate) fn measure(&self, key: &str, reading: Reading) {
        let Some(at) = FIELDS.iter().position(|field| field.key == key) else { return };
        let text = entry(&FIELDS[at], reading.value);
        self.readings.update(|readings| {
            readings.insert(FIELDS[at].key, reading);
        });
        self.type_in(at, text);
    }

    /// The last valid scenario.
    pub(crate) fn scenario(&self) -> Option<Scenario> {
        self.report.with(|report| report.as_ref().map(|report| report.scenario))
    }
}

/// Marks measured values where the input is still theirs. A measurement has no range of its own here: its spread is the
/// one the preset gives the input.
fn with_readings(mut ledger: Ledger, readings: &BTreeMap<&'static str, Reading>) -> Ledger {
    for (key, reading) in readings {
        let Some(entry) = ledger.entry(key) else { continue };
        if entry.assumption.figure.value == reading.value {
            let mut measured = entry.assumption.clone();
            measured.figure.source = reading.source.clone();
            measured.figure.retrieved = reading.day.clone();
            measured.figure.kind = Kind::Measured;
            // It was the form's value already, so its range is one.
            ledger.measure(measured).ok();
        }
    }
    ledger
}

/// The cost section's part of the state.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Two scenarios; the second is shown only when they are compared.
    pub(crate) cases: [Case; 2],
    /// Whether the two stand side by side.
    pub(crate) comparing: RwSignal<bool>,
    /// Which of them the form edits and the charts show.
    pub(crate) shown: RwSignal<usize>,
    /// Which deployment is looked at beside the cloud.
    pub(crate) focus: RwSignal<Deployment>,
    /// Percentiles of many measured answers, once the visitor has handed them on.
    pub(crate) fed: RwSignal<Option<Fed>>,
    /// Facts beyond the entries.
    pub(crate) known: RwSignal<Known>,
    /// The shown scenario's result.
    pub(crate) report: Memo<Option<Arc<Report>>>,
    /// How sure it is.
    pub(crate) trials: Trials,
}

impl Cost {
    pub(crate) fn new() -> Self {
        let known = RwSignal::new(Known::default());
        let cases = [Case::new(0, known), Case::new(0, known)];
        let shown = RwSignal::new(0);
        let report = Memo::new(move |_| cases[shown.get()].report.get());
        Self {
            cases,
            comparing: RwSignal::new(false),
            shown,
            focus: RwSignal::new(Deployment::Edge),
            fed: RwSignal::new(None),
            known,
            report,
            trials: Trials::new(),
        }
    }

    /// The scenario that the form edits.
    pub(crate) fn case(&self) -> Case {
        self.cases[self.shown.get()]
    }

    /// Puts the preset back.
    pub(crate) fn reset(&self) {
        let case = self.cases[self.shown.get_untracked()];
        case.start_from(case.preset.get_untracked());
    }

    /// Shows the two scenarios side by side; the second begins as a copy of the first.
    pub(crate) fn compare(&self) {
        let [first, second] = self.cases;
        second.preset.set(first.preset.get_untracked());
        second.readings.set(first.readings.get_untracked());
        second.entries.set(first.entries.get_untracked());
        self.comparing.set(true);
        self.shown.set(1);
    }

    /// Back to the first scenario alone.
    pub(crate) fn stop_comparing(&self) {
        self.shown.set(0);
        self.comparing.set(false);
    }

    /// Begins a run of trials whenever what it is about changes, once the section has been looked at.
    pub(crate) fn follow(self, charts: ChartCode) {
        Effect::new(move |_| {
            let looked_at = charts.is_needed();
            let (Some(seed), Some(report)) = (self.trials.seed(), self.report.get()) else { return };
            if !looked_at || self.trials.stopped.get() {
                return;
            }
            let ranking = &report.decision.ranking;
            let plan = Plan {
                seed,
                trials: TRIALS,
                basis: Basis::Present,
                considered: Deployment::ALL.map(|d| ranking.iter().any(|(feasible, _)| *feasible == d)),
            };
            let uncertain = self.case().ledger.with(|ledger| ledger.uncertain());
            self.trials.begin(report.scenario, uncertain, plan);
        });
    }
}
