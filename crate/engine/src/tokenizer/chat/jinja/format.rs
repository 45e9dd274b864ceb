//! Python's `%` on strings.

use super::budget::Budget;
use super::fault::{Result, wrong};
use super::text::{Text, float};
use super::value::Value;

/// Largest width or precision.
const MAX_DIGITS: usize = 1000;

/// `pattern % values`: `%s`, `%r`, `%d`, `%i`, `%f` and `%%`, with `-`, `0`, a width and a precision.
pub(super) fn percent(pattern: &str, values: &Value, budget: &Budget) -> Result<Value> {
    budget.spend(pattern.len() as u64)?;
    let mut values = match values {
        Value::List(list) if list.tuple => values.iterate(budget)?.into_iter(),
        other => vec![other.clone()].into_iter(),
    };
    let mut out = Text::new(budget);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push_char(c)?;
            continue;
        }
        let mut left = false;
        let mut zeros = false;
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0')) {
            left |= flag == '-';
            zeros |= flag == '0';
        }
        let width = number(&mut chars)?.unwrap_or(0);
        let precision = match chars.next_if_eq(&'.') {
            Some(_) => Some(number(&mut chars)?.unwrap_or(0)),
            None => None,
        };
        let kind = chars.next().ok_or_else(|| wrong("a format ends in %"))?;
        if kind == '%' {
            out.push_char('%')?;
            continue;
        }
        let value = values.next().ok_or_else(|| wrong("a format has more places than values"))?;
        let text = match kind {
            's' => value.text(budget)?.to_string(),
            'r' => {
                let mut text = Text::new(budget);
                value.repr(&mut text)?;
                text.finish()
            }
            'd' | 'i' => match (value.as_int(), &value) {
                (Some(value), _) => value.to_string(),
                (None, Value::Float(value)) if value.is_finite() => format!("{:.0}", value.trunc()),
                _ => return Err(wrong(format!("%{kind} needs a number, not a {}", value.kind()))),
            },
            'f' => match value.as_float() {
                Some(value) if value.is_finite() => format!("{value:.0$}", precision.unwrap_or(6)),
                Some(value) => float(value),
                None => return Err(wrong(format!("%f needs a number, not a {}", value.kind()))),
            },
            other => return Err(wrong(format!("%{other} in a format is not supported"))),
        };
        let text = match (kind, precision) {
            ('s' | 'r', Some(most)) => text.chars().take(most).collect(),
            _ => text,
        };
        let padding = width.saturating_sub(text.chars().count());
        let zeros = zeros && !left && !matches!(kind, 's' | 'r');
        match text.strip_prefix('-').filter(|_| zeros) {
            _ if left => {
                out.push(&text)?;
                out.repeat(" ", padding)?;
            }
            Some(digits) => {
                out.push("-")?;
                out.repeat("0", padding)?;
                out.push(digits)?;
            }
            None => {
                out.repeat(if zeros { "0" } else { " " }, padding)?;
                out.push(&text)?;
            }
        }
    }
    if values.next().is_some() {
        return Err(wrong("a format has more values than places"));
    }
    Ok(Value::Str(out.finish().into()))
}

/// Digits up to the first other character.
fn number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        let value = number.unwrap_or(0) * 10 + digit as usize;
        if value > MAX_DIGITS {
            return Err(wrong(format!("a format is wider than {MAX_DIGITS}")));
        }
        number = Some(value);
    }
    Ok(number)
}
