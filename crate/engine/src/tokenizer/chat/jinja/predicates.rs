//! Jinja's tests: what stands behind `is`.

use super::arguments::Arguments;
use super::budget::Budget;
use super::fault::{Result, quoted, wrong};
use super::operators::compare;
use super::value::Value;

/// `value is name(given)`.
pub(super) fn test(value: &Value, name: &str, mut given: Arguments, budget: &Budget) -> Result<bool> {
    let comparison = match name {
        "eq" | "equalto" | "==" => Some("=="),
        "ne" | "!=" => Some("!="),
        "lt" | "lessthan" | "<" => Some("<"),
        "le" | "<=" => Some("<="),
        "gt" | "greaterthan" | ">" => Some(">"),
        "ge" | ">=" => Some(">="),
        "in" => Some("in"),
        _ => None,
    };
    let whole = |value: &Value| value.as_int().ok_or_else(|| wrong(format!("{name} needs an integer")));
    let result = match (name, value) {
        _ if comparison.is_some() => {
            let other = given.need("other")?;
            comparison.map_or(Ok(false), |comparison| compare(comparison, value, &other, budget))?
        }
        ("defined", value) => !matches!(value, Value::Undefined),
        ("undefined", value) => matches!(value, Value::Undefined),
        ("none", value) => matches!(value, Value::None),
        ("string", value) => matches!(value, Value::Str(_)),
        ("mapping", value) => matches!(value, Value::Map(_)),
        ("iterable" | "sequence", Value::Str(_) | Value::List(_) | Value::Map(_) | Value::Undefined) => true,
        ("iterable" | "sequence", _) => false,
        ("number", value) => value.as_float().is_some(),
        ("integer", value) => matches!(value, Value::Int(_)),
        ("float", value) => matches!(value, Value::Float(_)),
        ("boolean", value) => matches!(value, Value::Bool(_)),
        ("true", value) => matches!(value, Value::Bool(true)),
        ("false", value) => matches!(value, Value::Bool(false)),
        ("odd", value) => whole(value)?.rem_euclid(2) == 1,
        ("even", value) => whole(value)?.rem_euclid(2) == 0,
        ("divisibleby", value) => {
            let by = whole(&given.need("num")?)?;
            let rest = whole(value)?.checked_rem(by);
            rest.ok_or_else(|| wrong("divisibleby: nothing is divisible by zero"))? == 0
        }
        ("sameas", value) => {
            let other = given.need("other")?;
            value.kind() == other.kind() && value.equals(&other, budget)?
        }
        ("upper" | "lower", Value::Str(text)) => {
            budget.spend(text.len() as u64)?;
            let has =
                |upper: bool| text.chars().any(|c| if upper { c.is_uppercase() } else { c.is_lowercase() });
            has(name == "upper") && !has(name != "upper")
        }
        (other, _) => return Err(wrong(format!("the test {} is not supported", quoted(other)))),
    };
    given.finish()?;
    Ok(result)
}
