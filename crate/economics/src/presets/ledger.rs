//! The assumptions ledger: where every input of a case comes from.

use figures::Figure;
use serde::{Deserialize, Serialize};

use super::preset::{Assumption, Preset, Selection, defaults};
use crate::input::{CHOICES, Choice, FIELDS, Field, InputError, Scenario};
use crate::uncertainty::{Shape, Uncertain};

/// Who put an input where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetBy {
    /// The defaults: the preset says nothing about it.
    Defaults,
    /// The preset.
    Preset,
    /// The visitor.
    Visitor,
    /// A measurement on the visitor's device.
    Device,
}

/// One input of a case.
#[derive(Clone)]
pub struct Entry {
    /// Which input.
    pub field: &'static Field,
    /// Its value and range. Source, date and kind are those of the default that a visitor's own value replaced.
    pub assumption: Assumption,
    /// Who put it there.
    pub set_by: SetBy,
}

/// One choice of a case.
#[derive(Clone)]
pub struct ChoiceEntry {
    /// Which choice.
    pub choice: &'static Choice,
    /// The option chosen.
    pub selection: Selection,
    /// Who put it there.
    pub set_by: SetBy,
}

/// Every input of a case with its source, in the order of [`FIELDS`] and [`CHOICES`].
#[derive(Clone)]
pub struct Ledger {
    entries: Vec<Entry>,
    choices: Vec<ChoiceEntry>,
}

impl Ledger {
    /// A preset over the defaults.
    pub fn new(preset: &Preset) -> Self {
        let defaults = defaults();
        let entry = |field: &'static Field| {
            let own = preset.assumption(field.key).map(|own| (own, SetBy::Preset));
            let (assumption, set_by) = own
                .or_else(|| defaults.assumption(field.key).map(|default| (default, SetBy::Defaults)))
                .unwrap_or_else(|| panic!("presets/defaults.json: nothing about {}", field.key));
            Entry { field, assumption: assumption.clone(), set_by }
        };
        let chosen = |choice: &'static Choice| {
            let own = preset.choice(choice.key).map(|own| (own, SetBy::Preset));
            let (selection, set_by) = own
                .or_else(|| defaults.choice(choice.key).map(|default| (default, SetBy::Defaults)))
                .unwrap_or_else(|| panic!("presets/defaults.json: nothing about {}", choice.key));
            ChoiceEntry { choice, selection: selection.clone(), set_by }
        };
        Self { entries: FIELDS.iter().map(entry).collect(), choices: CHOICES.iter().map(chosen).collect() }
    }

    /// The same with a visitor's inputs: whatever differs from the preset is the visitor's own, and its range moves
    /// with it.
    ///
    /// # Errors
    /// Every input out of its range.
    pub fn with(preset: &Preset, scenario: &Scenario) -> Result<Self, Vec<InputError>> {
        scenario.validate()?;
        let mut ledger = Self::new(preset);
        for entry in &mut ledger.entries {
            let value = (entry.field.get)(scenario);
            if value != entry.assumption.figure.value {
                entry.move_to(value);
                entry.set_by = SetBy::Visitor;
            }
        }
        for entry in &mut ledger.choices {
            let option = entry.choice.options[(entry.choice.get)(scenario)].name;
            if option != entry.selection.option {
                option.clone_into(&mut entry.selection.option);
                entry.set_by = SetBy::Visitor;
            }
        }
        Ok(ledger)
    }

    /// Puts in what was measured on the visitor's device; the unit is the input's, whatever was given.
    ///
    /// # Errors
    /// No such input, or a range that it cannot have.
    pub fn measure(&mut self, measured: Assumption) -> Result<(), InputError> {
        let entry = self.entry_mut(&measured.figure.key)?;
        let Figure { low, value, high, .. } = measured.figure;
        Uncertain::new(entry.field, (low, value, high), measured.shape)?;
        entry.assumption = measured;
        entry.field.unit.clone_into(&mut entry.assumption.figure.unit);
        entry.set_by = SetBy::Device;
        Ok(())
    }

    /// The visitor's own range around the value that an input has.
    ///
    /// # Errors
    /// No such input, or a range that it cannot have.
    pub fn range(&mut self, key: &str, low: f64, high: f64, shape: Shape) -> Result<(), InputError> {
        let entry = self.entry_mut(key)?;
        Uncertain::new(entry.field, (low, entry.assumption.figure.value, high), shape)?;
        entry.assumption.figure.low = low;
        entry.assumption.figure.high = high;
        entry.assumption.shape = shape;
        entry.set_by = SetBy::Visitor;
        Ok(())
    }

    fn entry_mut(&mut self, key: &str) -> Result<&mut Entry, InputError> {
        let unknown = || InputError::UnknownKey {
            key: key.to_owned(),
            known: FIELDS.iter().map(|field| field.key).collect::<Vec<_>>().join(", "),
        };
        self.entries.iter_mut().find(|entry| entry.field.key == key).ok_or_else(unknown)
    }

    /// Every input.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Every choice.
    pub fn choices(&self) -> &[ChoiceEntry] {
        &self.choices
    }

    /// One input.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.field.key == key)
    }

    /// The case as inputs.
    pub fn scenario(&self) -> Scenario {
        let mut scenario = Scenario::seed_example();
        for entry in &self.entries {
            (entry.field.set)(&mut scenario, entry.assumption.figure.value);
        }
        for ChoiceEntry { choice, selection, .. } in &self.choices {
            let index = choice.options.iter().position(|option| option.name == selection.option);
            let index = index.unwrap_or_else(|| panic!("presets: {} is no {}", selection.option, choice.key));
            (choice.set)(&mut scenario, index);
        }
        scenario
    }

    /// Each input with its range, for [`crate::uncertainty`]: in the order of the inputs, those without
    /// effect in this case left out.
    pub fn uncertain(&self) -> Vec<Uncertain> {
        let scenario = self.scenario();
        let relevant = self.entries.iter().filter(|entry| (entry.field.relevant)(&scenario));
        relevant.map(Entry::uncertain).collect()
    }
}

impl Preset {
    /// The case as inputs, with the defaults for what it does not name.
    pub fn scenario(&self) -> Scenario {
        Ledger::new(self).scenario()
    }
}

impl Entry {
    /// The input with its range.
    pub fn uncertain(&self) -> Uncertain {
        let Figure { low, value, high, .. } = self.assumption.figure;
        Uncertain { field: self.field, low, value, high, shape: self.assumption.shape }
    }

    /// A value of one's own is as uncertain as the one it replaces: by the same factors, or by the same amounts
    /// where the old value was 0. A 0 of one's own is exact.
    fn move_to(&mut self, value: f64) {
        let Assumption { figure, shape } = &mut self.assumption;
        let old = figure.value;
        let moved = |end: f64| {
            let end = if old > 0.0 { end * (value / old) } else { end + value };
            let end = if self.field.whole { end.round() } else { end };
            end.clamp(self.field.min, self.field.max)
        };
        let ends = if value == 0.0 { [0.0; 2] } else { [moved(figure.low), moved(figure.high)] };
        if value == 0.0 {
            *shape = Shape::Fixed;
        }
        // Rounding may put an end that was the value itself beyond it; a negative value turns the factors round.
        figure.low = ends[0].min(ends[1]).min(value);
        figure.high = ends[1].max(ends[0]).max(value);
        figure.value = value;
    }
}
