//! What operators do, as in Python: every string and list is paid for before it is made.

use std::cmp::Ordering;

use super::budget::Budget;
use super::fault::{Result, wrong};
use super::format::percent;
use super::text::Text;
use super::value::Value;

/// `a ∘ b` for an operator of arithmetic, given by its sign.
pub(super) fn arithmetic(sign: &str, a: &Value, b: &Value, budget: &Budget) -> Result<Value> {
    match (sign, a, b) {
        ("+", Value::Str(a), Value::Str(b)) => {
            let mut text = Text::new(budget);
            text.push(a)?;
            text.push(b)?;
            return Ok(Value::Str(text.finish().into()));
        }
        ("+", Value::List(a), Value::List(b)) if a.tuple == b.tuple => {
            budget.places(a.items.len().saturating_add(b.items.len()))?;
            let items = a.items.iter().chain(&b.items).cloned().collect();
            return Value::sequence(items, a.tuple, budget);
        }
        ("*", Value::Str(_) | Value::List(_), times) => return repeat(a, times, budget),
        ("*", times, Value::Str(_) | Value::List(_)) => return repeat(b, times, budget),
        ("%", Value::Str(pattern), values) => return percent(pattern, values, budget),
        _ => {}
    }
    match (a.as_int(), b.as_int(), a.as_float(), b.as_float()) {
        (Some(a), Some(b), ..) => integers(sign, a, b),
        (_, _, Some(a), Some(b)) => floats(sign, a, b),
        _ => Err(wrong(format!("{} is not possible with a {} and a {}", sign, a.kind(), b.kind()))),
    }
}

fn integers(sign: &str, a: i64, b: i64) -> Result<Value> {
    let value = match sign {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" | "//" | "%" if b == 0 => {
            return Err(wrong("there is a division by zero"));
        }
        "/" => return Ok(Value::Float(a as f64 / b as f64)),
        // Rounded down, as in Python.
        "//" => a.checked_div(b).map(|quotient| {
            let inexact = a.wrapping_rem(b) != 0;
            if inexact && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
        }),
        "%" => a.checked_rem(b).map(|rest| if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }),
        "**" if b < 0 => return floats(sign, a as f64, b as f64),
        "**" => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        _ => return Err(wrong("an operator is not known")),
    };
    value.map(Value::Int).ok_or_else(|| wrong(format!("{} gives too large a number", sign)))
}

fn floats(sign: &str, a: f64, b: f64) -> Result<Value> {
    let dividing = matches!(sign, "/" | "//" | "%");
    if dividing && b == 0.0 {
        return Err(wrong("there is a division by zero"));
    }
    let floor_rest = || {
        let rest = a % b;
        if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
    };
    Ok(Value::Float(match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => ((a - floor_rest()) / b).round(),
        "%" => floor_rest(),
        "**" => a.powf(b),
        _ => return Err(wrong("an operator is not known")),
    }))
}

fn repeat(what: &Value, times: &Value, budget: &Budget) -> Result<Value> {
    let times =
        times.as_int().ok_or_else(|| wrong(format!("nothing can be repeated a {} times", times.kind())))?;
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    match what {
        Value::Str(text) => {
            let mut out = Text::new(budget);
            out.repeat(text, times)?;
            Ok(Value::Str(out.finish().into()))
        }
        Value::List(list) => {
            budget.places(list.items.len().saturating_mul(times))?;
            budget.spend(times as u64)?;
            let items = (0..times).flat_map(|_| list.items.iter().cloned()).collect();
            Value::sequence(items, list.tuple, budget)
        }
        other => Err(wrong(format!("a {} cannot be repeated", other.kind()))),
    }
}

/// `-a`.
pub(super) fn negative(value: &Value) -> Result<Value> {
    match (value.as_int(), value) {
        (Some(value), _) => {
            value.checked_neg().map(Value::Int).ok_or_else(|| wrong("- gives too large a number"))
        }
        (None, Value::Float(value)) => Ok(Value::Float(-value)),
        (None, other) => Err(wrong(format!("- is not possible with a {}", other.kind()))),
    }
}

/// `a ∘ b` for a comparison, given by its sign.
pub(super) fn compare(sign: &str, a: &Value, b: &Value, budget: &Budget) -> Result<bool> {
    let ordered =
        |wanted: &[Ordering]| Ok(a.compare(b, budget)?.is_some_and(|found| wanted.contains(&found)));
    match sign {
        "==" => a.equals(b, budget),
        "!=" => Ok(!a.equals(b, budget)?),
        "<" => ordered(&[Ordering::Less]),
        "<=" => ordered(&[Ordering::Less, Ordering::Equal]),
        ">" => ordered(&[Ordering::Greater]),
        ">=" => ordered(&[Ordering::Greater, Ordering::Equal]),
        "in" => contains(b, a, budget),
        "not in" => Ok(!contains(b, a, budget)?),
        _ => Err(wrong("a comparison is not known")),
    }
}

/// Whether `whole` holds `part`.
pub(super) fn contains(whole: &Value, part: &Value, budget: &Budget) -> Result<bool> {
    match (whole, part) {
        (Value::Str(whole), Value::Str(part)) => {
            budget.spend((whole.len() + part.len()) as u64)?;
            Ok(whole.contains(&**part))
        }
        (Value::List(list), part) => {
            for item in &list.items {
                if item.equals(part, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Map(_), part) => Ok(whole.key(part, budget)?.is_some()),
        (Value::Undefined, _) => Ok(false),
        (whole, part) => Err(wrong(format!("a {} cannot be looked for in a {}", part.kind(), whole.kind()))),
    }
}

/// `value[place]`; undefined where there is none.
pub(super) fn item(value: &Value, place: &Value, budget: &Budget) -> Result<Value> {
    let from_end = |len: usize, place: i64| {
        let place = if place < 0 { place.checked_add(len as i64)? } else { place };
        usize::try_from(place).ok().filter(|place| *place < len)
    };
    match (value, place.as_int()) {
        (Value::List(list), Some(place)) => {
            Ok(from_end(list.items.len(), place).map_or(Value::Undefined, |place| list.items[place].clone()))
        }
        (Value::Str(text), Some(place)) => {
            budget.spend(text.len() as u64)?;
            let found = match place < 0 {
                true => usize::try_from(-1 - place).ok().and_then(|place| text.chars().rev().nth(place)),
                false => usize::try_from(place).ok().and_then(|place| text.chars().nth(place)),
            };
            Ok(found.map_or(Value::Undefined, |c| Value::str(c.encode_utf8(&mut [0; 4]))))
        }
        (Value::Map(_), _) => Ok(value.key(place, budget)?.unwrap_or(Value::Undefined)),
        (Value::Undefined, _) => Err(wrong("a place of an undefined value is asked for")),
        _ => Ok(Value::Undefined),
    }
}

/// `value[start:stop:step]`.
pub(super) fn slice(value: &Value, bounds: [Option<i64>; 3], budget: &Budget) -> Result<Value> {
    match value {
        Value::Str(text) => {
            budget.spend(4 * text.len() as u64)?;
            let chars: Vec<char> = text.chars().collect();
            let mut out = String::new();
            for place in places(chars.len(), bounds)? {
                out.push(chars[place]);
            }
            Ok(Value::Str(out.into()))
        }
        Value::List(list) => {
            budget.places(list.items.len())?;
            let items = places(list.items.len(), bounds)?.map(|place| list.items[place].clone()).collect();
            Value::sequence(items, list.tuple, budget)
        }
        Value::Undefined => Ok(Value::Undefined),
        other => Err(wrong(format!("a {} cannot be sliced", other.kind()))),
    }
}

/// The places that a slice takes, each below `len`.
fn places(len: usize, [start, stop, step]: [Option<i64>; 3]) -> Result<impl Iterator<Item = usize>> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(wrong("a slice's step is zero"));
    }
    let len = len as i64;
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(bound) if bound < 0 => bound.saturating_add(len).max(lowest),
        Some(bound) => bound.min(highest),
    };
    let (start, stop) =
        if step > 0 { (clamp(start, 0), clamp(stop, len)) } else { (clamp(start, len - 1), clamp(stop, -1)) };
    let inside = move |at: &i64| if step > 0 { *at < stop } else { *at > stop };
    let first = Some(start).filter(inside);
    Ok(std::iter::successors(first, move |at| at.checked_add(step).filter(inside)).map(|at| at as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_take_pythons_places() {
        let of = |len: usize, start: Option<i64>, stop: Option<i64>, step: Option<i64>| {
            places(len, [start, stop, step]).unwrap().collect::<Vec<_>>()
        };
        assert_eq!(of(0, None, None, Some(-1)), [0usize; 0]);
        assert_eq!(of(3, None, None, Some(-1)), [2, 1, 0]);
        assert_eq!(of(5, Some(1), None, Some(2)), [1, 3]);
        assert_eq!(of(5, Some(-2), None, None), [3, 4]);
        assert_eq!(of(5, Some(-9), Some(9), None), [0, 1, 2, 3, 4]);
        assert_eq!(of(5, Some(9), Some(-9), Some(-2)), [4, 2, 0]);
        assert_eq!(of(5, Some(1), Some(4), Some(-1)), [0usize; 0]);
        assert_eq!(of(5, Some(4), Some(1), Some(i64::MIN)), [4]);
        assert_eq!(of(5, Some(0), Some(5), Some(i64::MAX)), [0]);
        assert!(places(5, [None, None, Some(0)]).is_err());
    }
}
