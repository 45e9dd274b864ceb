//! Jinja's filters: what stands behind `|`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::arguments::Arguments;
use super::budget::Budget;
use super::fault::{Fault, Result, quoted, wrong};
use super::format::percent;
use super::json::dumps;
use super::methods::{cased, join, pairs, replace, strip};
use super::operators::{arithmetic, item};
use super::predicates::test;
use super::text::Text;
use super::value::Value;

/// `value|name(given)`.
pub(super) fn filter(value: &Value, name: &str, mut given: Arguments, budget: &Budget) -> Result<Value> {
    let result = match name {
        "tojson" => return dumps(value, given, budget),
        "map" => return map(value, given, budget),
        "select" | "reject" | "selectattr" | "rejectattr" => return select(value, name, given, budget),
        "default" | "d" => {
            let default = given.next("default_value").unwrap_or_else(|| Value::str(""));
            let any = given.next_flag("boolean");
            let missing = matches!(value, Value::Undefined) || (any && !value.truthy());
            if missing { default } else { value.clone() }
        }
        "trim" => {
            let text = paid(value, budget)?;
            let set = given.next_str("chars")?;
            Value::str(strip(&text, set.as_deref(), true, true, budget)?)
        }
        "upper" | "lower" | "capitalize" => cased(&paid(value, budget)?, name, budget)?,
        "title" => title(&paid(value, budget)?, budget)?,
        "replace" => {
            let text = paid(value, budget)?;
            let old = given.need("old")?.text(budget)?;
            let new = given.need("new")?.text(budget)?;
            let most = given.next_int("count")?.and_then(|most| usize::try_from(most).ok());
            replace(&text, &old, &new, most, budget)?
        }
        "string" => Value::Str(value.text(budget)?),
        "safe" => value.clone(),
        "escape" | "e" | "forceescape" => escape(&paid(value, budget)?, budget)?,
        "length" | "count" => Value::Int(match value {
            Value::Undefined => 0,
            Value::Str(_) => paid(value, budget)?.chars().count() as i64,
            Value::List(list) => list.items.len() as i64,
            Value::Map(map) => map.entries.len() as i64,
            other => return Err(wrong(format!("a {} has no length", other.kind()))),
        }),
        "first" => value.iterate(budget)?.into_iter().next().unwrap_or(Value::Undefined),
        "last" => value.iterate(budget)?.pop().unwrap_or(Value::Undefined),
        "list" => Value::list(value.iterate(budget)?, budget)?,
        "items" => match value {
            Value::Undefined => Value::list(Vec::new(), budget)?,
            other => pairs(other, budget)?,
        },
        "reverse" => match value {
            Value::Str(text) => {
                budget.spend(text.len() as u64)?;
                Value::Str(text.chars().rev().collect::<String>().into())
            }
            other => {
                let mut items = other.iterate(budget)?;
                items.reverse();
                Value::list(items, budget)?
            }
        },
        "join" => {
            let separator = given.next("d").unwrap_or_else(|| Value::str("")).text(budget)?;
            let values = match given.next("attribute") {
                None => value.clone(),
                Some(path) => Value::list(keys(value, Some(&path), budget)?, budget)?,
            };
            join(&values, &separator, budget)?
        }
        "sort" => {
            let reverse = given.next_flag("reverse");
            let exact = given.next_flag("case_sensitive");
            let path = given.next("attribute");
            sorted(value.iterate(budget)?, path.as_ref(), exact, reverse, budget)?
        }
        "dictsort" => {
            let exact = given.next_flag("case_sensitive");
            let by = given.next_str("by")?;
            let reverse = given.next_flag("reverse");
            let place = match by.as_deref() {
                None | Some("key") => 0,
                Some("value") => 1,
                Some(_) => return Err(wrong("dictsort sorts by key or value")),
            };
            sorted(pairs(value, budget)?.iterate(budget)?, Some(&Value::Int(place)), exact, reverse, budget)?
        }
        "unique" => {
            let exact = given.next_flag("case_sensitive");
            let path = given.next("attribute");
            let items = value.iterate(budget)?;
            let mut seen: Vec<Value> = Vec::new();
            let mut out = Vec::new();
            for (item, key) in items.into_iter().zip(keys(value, path.as_ref(), budget)?) {
                let key = if exact { key } else { folded(key, budget)? };
                let mut known = false;
                for old in &seen {
                    known |= old.equals(&key, budget)?;
                }
                if !known {
                    seen.push(key);
                    out.push(item);
                }
            }
            Value::list(out, budget)?
        }
        "min" | "max" => {
            let exact = given.next_flag("case_sensitive");
            let path = given.next("attribute");
            let sorted = sorted(value.iterate(budget)?, path.as_ref(), exact, name == "max", budget)?;
            sorted.iterate(budget)?.into_iter().next().unwrap_or(Value::Undefined)
        }
        "sum" => {
            let path = given.next("attribute");
            let mut sum = given.next("start").unwrap_or(Value::Int(0));
            for item in keys(value, path.as_ref(), budget)? {
                sum = arithmetic("+", &sum, &item, budget)?;
            }
            sum
        }
        "int" => {
            let default = given.next("default").unwrap_or(Value::Int(0));
            integer(value, budget)?.map_or(default, Value::Int)
        }
        "float" => {
            let default = given.next("default").unwrap_or(Value::Float(0.0));
            let number = match value {
                Value::Str(_) => paid(value, budget)?.trim().parse().ok(),
                other => other.as_float(),
            };
            number.map_or(default, Value::Float)
        }
        "abs" => match (value.as_int(), value) {
            (Some(value), _) => {
                Value::Int(value.checked_abs().ok_or_else(|| wrong("abs: too large a number"))?)
            }
            (None, Value::Float(value)) => Value::Float(value.abs()),
            _ => return Err(wrong(format!("a {} has no absolute value", value.kind()))),
        },
        "round" => {
            let digits = given.next_int("precision")?.unwrap_or(0);
            let method = given.next_str("method")?;
            let number =
                value.as_float().ok_or_else(|| wrong(format!("a {} cannot be rounded", value.kind())))?;
            round(number, digits, method.as_deref())?
        }
        "indent" => {
            let width = given.next("width").unwrap_or(Value::Int(4));
            let first = given.next_flag("first");
            let blank = given.next_flag("blank");
            indent(&paid(value, budget)?, &width, first, blank, budget)?
        }
        "format" => {
            let values =
                if given.named.is_empty() { given.positional.drain(..).collect() } else { Vec::new() };
            let values = Value::tuple(values, budget)?;
            percent(&paid(value, budget)?, &values, budget)?
        }
        other => return Err(wrong(format!("the filter {} is not supported", quoted(other)))),
    };
    given.finish()?;
    Ok(result)
}

/// The value as text that is about to be read.
fn paid(value: &Value, budget: &Budget) -> Result<Arc<str>> {
    let text = value.text(budget)?;
    budget.spend(text.len() as u64)?;
    Ok(text)
}

/// The attribute at a path with dots, or the place of a number.
fn attribute(value: &Value, path: &Value, budget: &Budget) -> Result<Value> {
    let Value::Str(path) = path else { return item(value, path, budget) };
    budget.spend(path.len() as u64)?;
    let mut value = value.clone();
    for name in path.split('.') {
        let place = match name.parse::<i64>() {
            Ok(place) => Value::Int(place),
            Err(_) => Value::str(name),
        };
        value = item(&value, &place, budget)?;
    }
    Ok(value)
}

fn keys(value: &Value, path: Option<&Value>, budget: &Budget) -> Result<Vec<Value>> {
    let items = value.iterate(budget)?;
    match path {
        None | Some(Value::None) => Ok(items),
        Some(path) => items.iter().map(|item| attribute(item, path, budget)).collect(),
    }
}

fn folded(value: Value, budget: &Budget) -> Result<Value> {
    match value {
        Value::Str(text) => cased(&text, "lower", budget),
        other => Ok(other),
    }
}

fn sorted(
    items: Vec<Value>,
    path: Option<&Value>,
    exact: bool,
    reverse: bool,
    budget: &Budget,
) -> Result<Value> {
    let mut pairs = Vec::with_capacity(items.len());
    for item in items {
        let key = match path {
            None | Some(Value::None) => item.clone(),
            Some(path) => attribute(&item, path, budget)?,
        };
        pairs.push((if exact { key } else { folded(key, budget)? }, item));
    }
    let mut fault: Option<Fault> = None;
    pairs.sort_by(|(a, _), (b, _)| {
        if fault.is_some() {
            return Ordering::Equal;
        }
        let order = a.compare(b, budget).unwrap_or_else(|error| {
            fault = Some(error);
            None
        });
        let order = order.unwrap_or(Ordering::Equal);
        if reverse { order.reverse() } else { order }
    });
    match fault {
        Some(fault) => Err(fault),
        None => Value::list(pairs.into_iter().map(|(_, item)| item).collect(), budget),
    }
}

fn map(value: &Value, mut given: Arguments, budget: &Budget) -> Result<Value> {
    let by_attribute = given.named.iter().position(|(name, _)| &**name == "attribute");
    let mut out = Vec::new();
    if let Some(at) = by_attribute {
        let (_, path) = given.named.swap_remove(at);
        let default = given.next("default");
        given.finish()?;
        for item in keys(value, Some(&path), budget)? {
            out.push(match (&item, &default) {
                (Value::Undefined, Some(default)) => default.clone(),
                _ => item,
            });
        }
        return Value::list(out, budget);
    }
    let name = given.need_str("filter")?;
    if matches!(&*name, "map" | "select" | "reject" | "selectattr" | "rejectattr") {
        return Err(wrong(format!("{name} inside map is not supported")));
    }
    for item in value.iterate(budget)? {
        out.push(filter(&item, &name, copied(&given, budget)?, budget)?);
    }
    Value::list(out, budget)
}

fn copied(given: &Arguments, budget: &Budget) -> Result<Arguments> {
    budget.places(given.positional.len() + given.named.len())?;
    Ok(Arguments { positional: given.positional.clone(), named: given.named.clone() })
}

fn select(value: &Value, name: &str, mut given: Arguments, budget: &Budget) -> Result<Value> {
    let path = if name.ends_with("attr") { Some(given.need("attribute")?) } else { None };
    let keep = name.starts_with("select");
    let check = given.next_str("test")?;
    let mut out = Vec::new();
    for item in value.iterate(budget)? {
        let key = match &path {
            Some(path) => attribute(&item, path, budget)?,
            None => item.clone(),
        };
        let fits = match &check {
            Some(check) => test(&key, check, copied(&given, budget)?, budget)?,
            None => key.truthy(),
        };
        if fits == keep {
            out.push(item);
        }
    }
    Value::list(out, budget)
}

fn title(text: &str, budget: &Budget) -> Result<Value> {
    budget.spend(3 * text.len() as u64)?;
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        let between = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
        match inside {
            _ if between => out.push(c),
            true => out.extend(c.to_lowercase()),
            false => out.extend(c.to_uppercase()),
        }
        inside = !between;
    }
    Ok(Value::Str(out.into()))
}

fn escape(text: &str, budget: &Budget) -> Result<Value> {
    let mut out = Text::new(budget);
    for c in text.chars() {
        match c {
            '&' => out.push("&amp;")?,
            '<' => out.push("&lt;")?,
            '>' => out.push("&gt;")?,
            '"' => out.push("&#34;")?,
            '\'' => out.push("&#39;")?,
            c => out.push_char(c)?,
        }
    }
    Ok(Value::Str(out.finish().into()))
}

fn integer(value: &Value, budget: &Budget) -> Result<Option<i64>> {
    let whole = |value: f64| (value.is_finite() && value.abs() < 9.2e18).then_some(value.trunc() as i64);
    Ok(match value {
        Value::Str(_) => {
            let text = paid(value, budget)?;
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        Value::Float(value) => whole(*value),
        other => other.as_int(),
    })
}

fn round(number: f64, digits: i64, method: Option<&str>) -> Result<Value> {
    let Some(digits) = usize::try_from(digits).ok().filter(|digits| *digits <= 15) else {
        return Err(wrong("round keeps 0 to 15 digits"));
    };
    let scale = 10f64.powi(digits as i32);
    Ok(Value::Float(match method {
        // Half to even on the exact value, as Python does.
        None | Some("common") => format!("{number:.digits$}").parse().unwrap_or(number),
        Some("ceil") => (number * scale).ceil() / scale,
        Some("floor") => (number * scale).floor() / scale,
        Some(_) => return Err(wrong("round knows common, ceil and floor")),
    }))
}

fn indent(text: &str, width: &Value, first: bool, blank: bool, budget: &Budget) -> Result<Value> {
    let margin: Arc<str> = match width {
        Value::Str(margin) => Arc::clone(margin),
        other => {
            let width = other.as_int().ok_or_else(|| wrong("indent needs a width"))?;
            let mut margin = Text::new(budget);
            margin.repeat(" ", usize::try_from(width).unwrap_or(0))?;
            margin.finish().into()
        }
    };
    let mut out = Text::new(budget);
    for (place, line) in text.split('\n').enumerate() {
        if place > 0 {
            out.push("\n")?;
        }
        if (place > 0 && (blank || !line.is_empty())) || (place == 0 && first) {
            out.push(&margin)?;
        }
        out.push(line)?;
    }
    Ok(Value::Str(out.finish().into()))
}
