//! Arguments of a call, taken in the order of the parameters.

use std::collections::VecDeque;
use std::sync::Arc;

use minijinja::value::Kwargs;

use super::budget::Budget;
use super::fault::{Result, quoted, wrong};
use super::value::Value;

/// Arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) positional: VecDeque<Value>,
    pub(super) named: Vec<(Arc<str>, Value)>,
}

impl Arguments {
    /// As minijinja hands them over: named ones are one value, the last, which may have cost one instruction.
    pub(super) fn of(given: &[minijinja::Value], budget: &Budget) -> Result<Self> {
        let mut positional = given;
        let mut named = Vec::new();
        if let Some((last, before)) = given.split_last()
            && last.is_kwargs()
            && let Ok(last) = Kwargs::try_from(last.clone())
        {
            positional = before;
            for name in last.args() {
                budget.places(2)?;
                let value = last.peek::<&minijinja::Value>(name).map(Value::of);
                named.push((name.into(), value.unwrap_or(Value::Undefined)));
            }
        }
        Ok(Self { positional: positional.iter().map(Value::of).collect(), named })
    }

    /// The next parameter, given by place or by name.
    pub(super) fn next(&mut self, name: &str) -> Option<Value> {
        if let Some(value) = self.positional.pop_front() {
            return Some(value);
        }
        let at = self.named.iter().position(|(known, _)| &**known == name)?;
        Some(self.named.swap_remove(at).1)
    }

    /// A parameter that must be given.
    pub(super) fn need(&mut self, name: &str) -> Result<Value> {
        self.next(name).ok_or_else(|| wrong(format!("the argument {name} is missing")))
    }

    /// A string that must be given.
    pub(super) fn need_str(&mut self, name: &str) -> Result<Arc<str>> {
        match self.need(name)? {
            Value::Str(text) => Ok(text),
            other => Err(wrong(format!("{name} is a {}, not a string", other.kind()))),
        }
    }

    /// A string, if there is one.
    pub(super) fn next_str(&mut self, name: &str) -> Result<Option<Arc<str>>> {
        match self.next(name) {
            None | Some(Value::None) => Ok(None),
            Some(Value::Str(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(format!("{name} is a {}, not a string", other.kind()))),
        }
    }

    /// An integer, if there is one.
    pub(super) fn next_int(&mut self, name: &str) -> Result<Option<i64>> {
        match self.next(name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => match value.as_int() {
                Some(value) => Ok(Some(value)),
                None => Err(wrong(format!("{name} is a {}, not an integer", value.kind()))),
            },
        }
    }

    /// Whether a parameter is given and true.
    pub(super) fn next_flag(&mut self, name: &str) -> bool {
        self.next(name).is_some_and(|value| value.truthy())
    }

    /// Refuses what is left.
    pub(super) fn finish(self) -> Result<()> {
        if let Some((name, _)) = self.named.first() {
            return Err(wrong(format!("the argument {} is not known", quoted(name))));
        }
        if !self.positional.is_empty() {
            return Err(wrong("there are too many arguments"));
        }
        Ok(())
    }
}
