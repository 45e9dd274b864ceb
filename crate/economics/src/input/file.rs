//! Inputs read from, and written to, `section.name` keys: a file's, or an address's.

use std::fmt::Write;

use super::choice::{CHOICES, Choice};
use super::error::InputError;
use super::field::{FIELDS, Field};
use super::group::Group;
use super::scenario::Scenario;

/// A value as a file holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Neither, as it was written.
    Other(String),
}

impl Given {
    fn shown(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Text(text) => format!("“{text}”"),
            Self::Other(text) => text.clone(),
        }
    }
}

/// Puts the given values into the article's example.
///
/// # Errors
/// Everything wrong with them at once: unknown keys, values out of range, options that do not exist, and inputs
/// that the choices made leave without effect, which hold a mistake more often than an intention.
pub fn read_inputs(given: &[(String, Given)]) -> Result<Scenario, Vec<InputError>> {
    let mut s = Scenario::seed_example();
    let mut errors = Vec::new();
    for (key, value) in given {
        let read = match (Field::of(key), CHOICES.iter().find(|choice| choice.key == key)) {
            (Some(field), _) => read_number(&mut s, field, value),
            (None, Some(choice)) => read_option(&mut s, choice, value),
            (None, None) => Err(unknown(key)),
        };
        errors.extend(read.err());
    }
    if errors.is_empty() {
        errors.extend(given.iter().filter_map(|(key, _)| without_effect(&s, key)));
    }
    if errors.is_empty() { Ok(s) } else { Err(errors) }
}

fn read_number(s: &mut Scenario, field: &Field, value: &Given) -> Result<(), InputError> {
    let Field { key, min, max, unit, .. } = *field;
    let Given::Number(value) = value else {
        return Err(InputError::NotANumber { key, value: value.shown(), min, max, unit });
    };
    field.check(*value)?;
    (field.set)(s, *value);
    Ok(())
}

fn read_option(s: &mut Scenario, choice: &Choice, value: &Given) -> Result<(), InputError> {
    let found = match value {
        Given::Text(text) => choice.options.iter().position(|option| option.name == text),
        Given::Number(_) | Given::Other(_) => None,
    };
    let Some(index) = found else {
        let options = choice.options.iter().map(|option| option.name).collect::<Vec<_>>().join(", ");
        return Err(InputError::UnknownOption { key: choice.key, value: value.shown(), options });
    };
    (choice.set)(s, index);
    Ok(())
}

fn unknown(key: &str) -> InputError {
    let section = key.split_once('.').map_or(key, |(section, _)| section);
    let all = || FIELDS.iter().map(|f| f.key).chain(CHOICES.iter().map(|c| c.key));
    let beside: Vec<&str> = all().filter(|k| k.split('.').next() == Some(section)).collect();
    let known = if beside.is_empty() {
        Group::ALL.map(|group| format!("[{}]", group.name())).join(", ")
    } else {
        beside.join(", ")
    };
    InputError::UnknownKey { key: key.to_owned(), known }
}

fn without_effect(s: &Scenario, key: &str) -> Option<InputError> {
    let field = Field::of(key).filter(|field| !(field.relevant)(s))?;
    let made: Vec<String> = CHOICES
        .iter()
        .filter(|choice| choice.group == field.group || field.group == Group::Demand)
        .map(|choice| format!("{} is {}", choice.key, choice.options[(choice.get)(s)].name))
        .collect();
    let why = if made.is_empty() { "other inputs switch it off".to_owned() } else { made.join(", ") };
    Some(InputError::WithoutEffect { key: field.key, why })
}

/// A commented input file (TOML) that reads back as this scenario. Inputs without effect stand behind a `#`.
pub fn write_inputs(s: &Scenario) -> String {
    let mut out = String::from(
        "# A scenario to price. Every key may be left out: the default is the source article's example.\n\
         # A line behind a single # has no effect under the choices made here.\n",
    );
    for group in Group::ALL {
        let _ = writeln!(out, "\n# {}\n[{}]", group.label(), group.name());
        for choice in CHOICES.iter().filter(|choice| choice.group == group) {
            write_choice(&mut out, s, choice);
        }
        for field in FIELDS.iter().filter(|field| field.group == group) {
            let name = name_of(field.key);
            let mark = if (field.relevant)(s) { "" } else { "#" };
            let Field { label, unit, min, max, .. } = field;
            let value = (field.get)(s);
            let _ = writeln!(out, "{mark}{name} = {value:?} # {label}: {unit}, {min} to {max}");
        }
    }
    out
}

fn write_choice(out: &mut String, s: &Scenario, choice: &Choice) {
    let _ = writeln!(out, "# {}:", choice.label);
    for option in choice.options {
        let _ = writeln!(out, "#   {}: {}", option.name, option.explanation);
    }
    let _ = writeln!(out, "{} = \"{}\"", name_of(choice.key), choice.options[(choice.get)(s)].name);
}

fn name_of(key: &'static str) -> &'static str {
    key.split_once('.').map_or(key, |(_, name)| name)
}
