//! The checked operations that [`super::rewrite`] puts into a tree, and the functions that templates find defined.

use std::fmt::Write as _;

use chrono::DateTime;
use minijinja::State;
use minijinja::value::{Kwargs, Rest};

use super::arguments::Arguments;
use super::budget::Budget;
use super::fault::{Fault, Result, quoted, wrong};
use super::filters::filter;
use super::methods;
use super::operators::{arithmetic, compare, item, negative, slice};
use super::predicates::test;
use super::rewrite::MAX_NAMES;
use super::text::Text;
use super::value::Value;

/// Cost of a call of a macro, for which minijinja makes a state of its own.
const CALL: u64 = 1 << 10;

/// Most elements of a `range`, as in jinja2's sandbox.
const MAX_RANGE: i64 = 100_000;

/// A run of a template.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) budget: Budget,
    /// The time for `strftime_now`: seconds since 1970 on the visitor's clock.
    pub(super) now: Option<i64>,
}

type Operation = fn(&Run, &State<'_, '_>, Value, Arguments) -> Result<Value>;

const OPERATIONS: [(&str, Operation); 18] = [
    ("@arithmetic", |run, _, a, mut given| {
        let sign = given.need_str("sign")?;
        arithmetic(&sign, &a, &given.need("b")?, &run.budget)
    }),
    ("@call", |run, _, _, _| {
        // It copies a list of the macros there are.
        run.budget.spend(CALL.saturating_add(run.budget.macros().saturating_mul(16)))?;
        Ok(Value::None)
    }),
    ("@compare", |run, _, mut left, mut given| {
        while let Some(sign) = given.next_str("sign")? {
            let right = given.need("b")?;
            if !compare(&sign, &left, &right, &run.budget)? {
                return Ok(Value::Bool(false));
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }),
    ("@concat", |run, _, first, given| {
        let mut text = Text::new(&run.budget);
        first.print(&mut text)?;
        given.positional.iter().try_for_each(|part| part.print(&mut text))?;
        Ok(Value::Str(text.finish().into()))
    }),
    ("@filter", |run, _, value, mut given| {
        let name = given.need_str("filter")?;
        filter(&value, &name, given, &run.budget)
    }),
    ("@held", |_, _, value, _| value.held().cloned()),
    ("@item", |run, _, value, mut given| {
        let place = given.need("place")?;
        match (&value, &place) {
            (Value::Own(own), Value::Str(name)) => {
                run.budget.spend(name.len() as u64)?;
                let found = own.get_attr(name).map_err(|error| Fault::of(&error, run.budget.total()))?;
                Ok(Value::of(&found))
            }
            _ => item(&value, &place, &run.budget),
        }
    }),
    ("@iter", |run, _, value, _| Value::list(value.iterate(&run.budget)?, &run.budget)),
    ("@list", |run, _, items, _| Value::list(literal(&items)?, &run.budget)),
    ("@macro", |run, _, _, _| {
        run.budget.places(4)?;
        run.budget.define();
        Ok(Value::None)
    }),
    ("@map", |run, _, items, _| {
        let mut items = literal(&items)?.into_iter();
        let mut pairs = Vec::new();
        while let (Some(key), Some(value)) = (items.next(), items.next()) {
            pairs.push((key, value));
        }
        Value::map(pairs, &run.budget)
    }),
    ("@method", |run, state, value, mut given| {
        let name = given.need_str("method")?;
        match &value {
            // Without arguments, minijinja would divide by their number.
            Value::Own(own) if &*name == "cycle" && !given.positional.is_empty() => {
                let values: Vec<_> = given.positional.into_iter().map(minijinja::Value::from).collect();
                let cycled = own.call_method(state, &name, &values);
                Ok(Value::of(&cycled.map_err(|error| Fault::of(&error, run.budget.total()))?))
            }
            value => methods::call(value, &name, given, &run.budget),
        }
    }),
    ("@neg", |_, _, value, _| negative(&value)),
    ("@same", |_, _, value, _| Ok(value)),
    ("@slice", |run, _, value, mut given| {
        let bounds = [given.next_int("start")?, given.next_int("stop")?, given.next_int("step")?];
        slice(&value, bounds, &run.budget)
    }),
    ("@test", |run, _, value, mut given| {
        let name = given.need_str("test")?;
        test(&value, &name, given, &run.budget).map(Value::Bool)
    }),
    ("@tuple", |run, _, items, _| Value::tuple(literal(&items)?, &run.budget)),
    ("@with", |run, _, _, _| {
        run.budget.places(4)?;
        Ok(Value::None)
    }),
];

type Function = fn(&Run, Arguments) -> Result<Value>;

const FUNCTIONS: [(&str, Function); 5] = [
    ("dict", |run, given| dict(given, &run.budget)),
    ("namespace", |run, given| {
        let Value::Map(map) = dict(given, &run.budget)? else { return Err(wrong("a namespace is a map")) };
        // minijinja lists all of them to tell whether it is empty.
        if map.entries.len() > MAX_NAMES {
            return Err(wrong(format!("a namespace begins with more than {MAX_NAMES} names")));
        }
        // With something in it that no template can name: minijinja calls an empty one false.
        let mut names = vec![("@".to_owned(), ().into())];
        for (name, value) in &map.entries {
            names.push((name.text(&run.budget)?.to_string(), value.clone().into()));
        }
        let names = Kwargs::from_iter::<Vec<(String, minijinja::Value)>>(names);
        let made = minijinja::functions::namespace(Some(names.into()));
        made.map(Value::Own).map_err(|error| Fault::of(&error, run.budget.total()))
    }),
    ("raise_exception", |run, mut given| {
        Err(Fault::Raised(given.need("message")?.text(&run.budget)?.to_string()))
    }),
    ("range", |run, mut given| {
        let first = given.next_int("start")?.ok_or_else(|| wrong("range needs a number"))?;
        let (start, stop) = match given.next_int("stop")? {
            Some(stop) => (first, stop),
            None => (0, first),
        };
        let step = given.next_int("step")?.unwrap_or(1);
        given.finish()?;
        range(start, stop, step, &run.budget)
    }),
    ("strftime_now", |run, mut given| {
        let pattern = given.need_str("format")?;
        given.finish()?;
        // A directive of two characters becomes a few dozen at most.
        run.budget.spend((pattern.len() as u64).saturating_mul(32))?;
        let now = DateTime::from_timestamp(run.now.unwrap_or_default(), 0).unwrap_or_default();
        let mut text = String::new();
        write!(text, "{}", now.naive_utc().format(&pattern))
            .map_err(|_| wrong(format!("strftime_now does not know the format {:?}", quoted(&pattern))))?;
        Ok(Value::Str(text.into()))
    }),
];

impl Run {
    /// Makes all of them known to minijinja.
    pub(super) fn register(&self, environment: &mut minijinja::Environment<'_>) {
        for (name, operation) in OPERATIONS {
            let run = self.clone();
            environment.add_filter(
                name,
                move |state: &State<'_, '_>, given: Rest<minijinja::Value>| -> Result<_, minijinja::Error> {
                    run.budget.steps(state)?;
                    let (value, given) = match given.split_first() {
                        Some((value, given)) => (Value::of(value), Arguments::of(given, &run.budget)?),
                        None => (Value::Undefined, Arguments::default()),
                    };
                    Ok(minijinja::Value::from(operation(&run, state, value, given)?))
                },
            );
        }
        for (name, function) in FUNCTIONS {
            if name == "strftime_now" && self.now.is_none() {
                continue;
            }
            let run = self.clone();
            environment.add_function(
                name,
                move |state: &State<'_, '_>, given: Rest<minijinja::Value>| -> Result<_, minijinja::Error> {
                    run.budget.steps(state)?;
                    Ok(minijinja::Value::from(function(&run, Arguments::of(&given, &run.budget)?)?))
                },
            );
        }
    }
}

/// The elements of a list that minijinja has put together from the tree.
fn literal(list: &Value) -> Result<Vec<Value>> {
    let Value::Own(list) = list else { return Err(wrong("a list is expected")) };
    let items = list.try_iter().map_err(|error| Fault::of(&error, 0))?;
    Ok(items.map(|item| Value::of(&item)).collect())
}

fn dict(mut given: Arguments, budget: &Budget) -> Result<Value> {
    let mut entries = Vec::new();
    if let Some(Value::Map(map)) = given.positional.pop_front() {
        budget.places(map.entries.len())?;
        entries.extend(map.entries.iter().cloned());
    }
    entries.extend(given.named.drain(..).map(|(name, value)| (Value::Str(name), value)));
    given.finish()?;
    Value::map(entries, budget)
}

fn range(start: i64, stop: i64, step: i64, budget: &Budget) -> Result<Value> {
    let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
    let span = if step > 0 { stop - start } else { start - stop };
    let size = step.abs();
    if size == 0 {
        return Err(wrong("range: the step is zero"));
    }
    let count = if span > 0 { (span + size - 1) / size } else { 0 };
    if count > i128::from(MAX_RANGE) {
        return Err(wrong(format!("range: more than {MAX_RANGE} numbers")));
    }
    budget.places(count as usize)?;
    let numbers = (0..count).map(|at| Value::Int((start + at * step) as i64)).collect();
    Value::list(numbers, budget)
}
