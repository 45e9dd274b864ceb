//! Python's methods of strings, mappings and lists, as templates call them on contents.

use std::sync::Arc;

use super::arguments::Arguments;
use super::budget::Budget;
use super::fault::{Result, quoted, wrong};
use super::text::{Text, is_space};
use super::value::Value;

/// `value.name(given)`.
pub(super) fn call(value: &Value, name: &str, mut given: Arguments, budget: &Budget) -> Result<Value> {
    let result = match value {
        Value::Str(text) => {
            budget.spend(text.len() as u64)?;
            string(text, name, &mut given, budget)?
        }
        Value::Map(map) => {
            budget.places(map.entries.len())?;
            match name {
                "get" => {
                    let found = value.key(&given.need("key")?, budget)?;
                    let default = given.next("default").unwrap_or(Value::None);
                    Some(found.unwrap_or(default))
                }
                "keys" => {
                    Some(Value::list(map.entries.iter().map(|(key, _)| key.clone()).collect(), budget)?)
                }
                "values" => {
                    Some(Value::list(map.entries.iter().map(|(_, value)| value.clone()).collect(), budget)?)
                }
                "items" => Some(pairs(value, budget)?),
                "copy" => Some(value.clone()),
                _ => None,
            }
        }
        Value::List(list) => match name {
            "index" | "count" => {
                let wanted = given.need("value")?;
                let mut places = Vec::new();
                for (place, item) in list.items.iter().enumerate() {
                    if item.equals(&wanted, budget)? {
                        places.push(place as i64);
                    }
                }
                match name {
                    "count" => Some(Value::Int(places.len() as i64)),
                    _ => Some(Value::Int(
                        *places.first().ok_or_else(|| wrong("index: it is not in the list"))?,
                    )),
                }
            }
            "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
                return Err(wrong(format!("{name} would change a list, which templates may not")));
            }
            _ => None,
        },
        _ => None,
    };
    let kind = value.kind();
    let result =
        result.ok_or_else(|| wrong(format!("the method {} of a {kind} is not known", quoted(name))))?;
    given.finish()?;
    Ok(result)
}

/// Keys and values of a mapping, as pairs.
pub(super) fn pairs(map: &Value, budget: &Budget) -> Result<Value> {
    let Value::Map(map) = map else { return Err(wrong(format!("a {} has no items", map.kind()))) };
    let mut pairs = Vec::new();
    for (key, value) in &map.entries {
        pairs.push(Value::tuple(vec![key.clone(), value.clone()], budget)?);
    }
    Value::list(pairs, budget)
}

fn string(text: &Arc<str>, name: &str, given: &mut Arguments, budget: &Budget) -> Result<Option<Value>> {
    let whole = &**text;
    let cut = |part: &str| -> Result<Option<Value>> {
        budget.spend(part.len() as u64)?;
        Ok(Some(Value::str(part)))
    };
    let all = |holds: fn(char) -> bool| Ok(Some(Value::Bool(!whole.is_empty() && whole.chars().all(holds))));
    match name {
        "strip" | "lstrip" | "rstrip" => {
            let set = given.next_str("chars")?;
            cut(strip(whole, set.as_deref(), name != "rstrip", name != "lstrip", budget)?)
        }
        "split" | "rsplit" => {
            let separator = given.next_str("sep")?;
            let most = given.next_int("maxsplit")?.and_then(|most| usize::try_from(most).ok());
            split(whole, separator.as_deref(), most, name == "rsplit", budget).map(Some)
        }
        "splitlines" => {
            let keep = given.next_flag("keepends");
            let mut lines = Vec::new();
            let mut rest = whole;
            while !rest.is_empty() {
                let end = rest.find([
                    '\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}',
                ]);
                let (line, after) = match end {
                    None => (rest.len(), rest.len()),
                    Some(end) if rest[end..].starts_with("\r\n") => (end, end + 2),
                    Some(end) => (end, end + rest[end..].chars().next().map_or(1, char::len_utf8)),
                };
                budget.places(1)?;
                lines.push(Value::str(&rest[..if keep { after } else { line }]));
                rest = &rest[after..];
            }
            Value::list(lines, budget).map(Some)
        }
        "startswith" | "endswith" => {
            let fits = |part: &Value| match part {
                Value::Str(part) if name == "startswith" => Ok(whole.starts_with(&**part)),
                Value::Str(part) => Ok(whole.ends_with(&**part)),
                other => Err(wrong(format!("{name} needs a string, not a {}", other.kind()))),
            };
            let found = match given.need("part")? {
                Value::List(parts) => {
                    budget.places(parts.items.len())?;
                    let mut found = false;
                    for part in &parts.items {
                        found |= fits(part)?;
                    }
                    found
                }
                part => fits(&part)?,
            };
            Ok(Some(Value::Bool(found)))
        }
        "replace" => {
            let old = given.need_str("old")?;
            let new = given.need_str("new")?;
            let most = given.next_int("count")?.and_then(|most| usize::try_from(most).ok());
            replace(whole, &old, &new, most, budget).map(Some)
        }
        "removeprefix" => cut(whole.strip_prefix(&*given.need_str("prefix")?).unwrap_or(whole)),
        "removesuffix" => cut(whole.strip_suffix(&*given.need_str("suffix")?).unwrap_or(whole)),
        "upper" | "lower" | "capitalize" | "title" | "swapcase" => cased(whole, name, budget).map(Some),
        "find" | "rfind" | "index" | "rindex" => {
            let part = given.need_str("part")?;
            let at = if name.starts_with('r') { whole.rfind(&*part) } else { whole.find(&*part) };
            match at {
                Some(at) => Ok(Some(Value::Int(whole[..at].chars().count() as i64))),
                None if name.ends_with("find") => Ok(Some(Value::Int(-1))),
                None => Err(wrong(format!("{name}: it is not in the string"))),
            }
        }
        "count" => {
            let part = given.need_str("part")?;
            let count =
                if part.is_empty() { whole.chars().count() + 1 } else { whole.matches(&*part).count() };
            Ok(Some(Value::Int(count as i64)))
        }
        "join" => join(&given.need("values")?, whole, budget).map(Some),
        "partition" | "rpartition" => {
            let separator = given.need_str("sep")?;
            if separator.is_empty() {
                return Err(wrong(format!("{name}: the separator is empty")));
            }
            let parts = match name {
                "partition" => {
                    whole.split_once(&*separator).map(|(a, b)| [a, &separator, b]).unwrap_or([whole, "", ""])
                }
                _ => {
                    whole.rsplit_once(&*separator).map(|(a, b)| [a, &separator, b]).unwrap_or(["", "", whole])
                }
            };
            budget.spend(whole.len() as u64)?;
            Value::tuple(parts.map(Value::str).into(), budget).map(Some)
        }
        "format" => format(whole, given, budget).map(Some),
        "isdigit" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(is_space),
        "isupper" => Ok(Some(Value::Bool(
            whole.chars().any(char::is_uppercase) && !whole.chars().any(char::is_lowercase),
        ))),
        "islower" => Ok(Some(Value::Bool(
            whole.chars().any(char::is_lowercase) && !whole.chars().any(char::is_uppercase),
        ))),
        "zfill" | "ljust" | "rjust" | "center" => {
            let width = given.next_int("width")?.ok_or_else(|| wrong(format!("{name} needs a width")))?;
            let fill =
                given.next_str("fillchar")?.unwrap_or_else(|| if name == "zfill" { "0" } else { " " }.into());
            let padding = usize::try_from(width).unwrap_or(0).saturating_sub(whole.chars().count());
            let before = match name {
                "ljust" => 0,
                "center" => padding / 2 + (padding & usize::try_from(width).unwrap_or(0) & 1),
                _ => padding,
            };
            let (sign, digits) = match whole.strip_prefix(['-', '+']).filter(|_| name == "zfill") {
                Some(digits) => (&whole[..1], digits),
                None => ("", whole),
            };
            let mut out = Text::new(budget);
            out.push(sign)?;
            out.repeat(&fill, before)?;
            out.push(digits)?;
            out.repeat(&fill, padding - before)?;
            Ok(Some(Value::Str(out.finish().into())))
        }
        _ => Ok(None),
    }
}

/// `text` without white space, or the characters of `set`, at its ends.
pub(super) fn strip<'t>(
    text: &'t str,
    set: Option<&str>,
    begin: bool,
    end: bool,
    budget: &Budget,
) -> Result<&'t str> {
    if let Some(set) = set {
        budget.spend((set.len() as u64).saturating_mul(text.len() as u64) / 8)?;
    }
    let goes = |c: char| set.map_or_else(|| is_space(c), |set| set.contains(c));
    let text = if begin { text.trim_start_matches(goes) } else { text };
    Ok(if end { text.trim_end_matches(goes) } else { text })
}

fn split(
    text: &str,
    separator: Option<&str>,
    most: Option<usize>,
    from_end: bool,
    budget: &Budget,
) -> Result<Value> {
    let most = most.unwrap_or(usize::MAX);
    let mut parts: Vec<Value> = Vec::new();
    let mut push = |part: &str| -> Result<usize> {
        budget.places(1)?;
        budget.spend(part.len() as u64)?;
        parts.push(Value::str(part));
        Ok(parts.len())
    };
    let mut rest = text;
    match separator {
        Some("") => return Err(wrong("split: the separator is empty")),
        Some(separator) => {
            let mut count = 0;
            while count < most {
                let halves = if from_end { rest.rsplit_once(separator) } else { rest.split_once(separator) };
                let Some((before, after)) = halves else { break };
                let (part, left) = if from_end { (after, before) } else { (before, after) };
                count = push(part)?;
                rest = left;
            }
            push(rest)?;
        }
        None => {
            let mut count = 0;
            loop {
                rest = if from_end {
                    rest.trim_end_matches(is_space)
                } else {
                    rest.trim_start_matches(is_space)
                };
                if rest.is_empty() {
                    break;
                }
                let end = if from_end { rest.rfind(is_space) } else { rest.find(is_space) };
                let Some(at) = end.filter(|_| count < most) else {
                    push(rest)?;
                    break;
                };
                let space = rest[at..].chars().next().map_or(1, char::len_utf8);
                let (part, left) = match from_end {
                    true => (&rest[at + space..], &rest[..at]),
                    false => (&rest[..at], &rest[at..]),
                };
                count = push(part)?;
                rest = left;
            }
        }
    }
    if from_end {
        parts.reverse();
    }
    Value::list(parts, budget)
}

/// `text` with `new` for `old`, `most` times.
pub(super) fn replace(
    text: &str,
    old: &str,
    new: &str,
    most: Option<usize>,
    budget: &Budget,
) -> Result<Value> {
    let most = most.unwrap_or(usize::MAX);
    let mut out = Text::new(budget);
    let mut done = 0;
    // An empty `old` stands between all characters, as in Python.
    for (at, found) in text.match_indices(old).take(most) {
        out.push(&text[done..at])?;
        out.push(new)?;
        done = at + found.len();
    }
    out.push(&text[done..])?;
    Ok(Value::Str(out.finish().into()))
}

/// `values` as text, `separator` between them.
pub(super) fn join(values: &Value, separator: &str, budget: &Budget) -> Result<Value> {
    let mut out = Text::new(budget);
    for (place, value) in values.iterate(budget)?.iter().enumerate() {
        if place > 0 {
            out.push(separator)?;
        }
        value.print(&mut out)?;
    }
    Ok(Value::Str(out.finish().into()))
}

/// `text` in the case that the method's name says.
pub(super) fn cased(text: &str, name: &str, budget: &Budget) -> Result<Value> {
    // A character becomes three at most.
    budget.spend(3 * text.len() as u64)?;
    let upper = |out: &mut String, c: char| out.extend(c.to_uppercase());
    let lower = |out: &mut String, c: char| out.extend(c.to_lowercase());
    let mut out = String::with_capacity(text.len());
    match name {
        "upper" => out = text.to_uppercase(),
        "lower" => out = text.to_lowercase(),
        _ => {
            let mut inside = false;
            for (place, c) in text.chars().enumerate() {
                match name {
                    "swapcase" if c.is_uppercase() => lower(&mut out, c),
                    "swapcase" => upper(&mut out, c),
                    "capitalize" if place == 0 => upper(&mut out, c),
                    "capitalize" => lower(&mut out, c),
                    _ if inside => lower(&mut out, c),
                    _ => upper(&mut out, c),
                }
                inside = c.is_alphabetic();
            }
        }
    }
    Ok(Value::Str(out.into()))
}

/// `'{} {0} {name}'.format(…)`, without conversions and widths.
fn format(pattern: &str, given: &mut Arguments, budget: &Budget) -> Result<Value> {
    let positional: Vec<Value> = given.positional.drain(..).collect();
    let named = std::mem::take(&mut given.named);
    let mut out = Text::new(budget);
    let mut automatic = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        out.push(&rest[..at])?;
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push(brace)?;
            rest = after;
            continue;
        }
        let field = rest.split_once('}').filter(|_| brace == "{");
        let (field, after) = field.ok_or_else(|| wrong("format: a brace stands alone"))?;
        rest = after;
        let value = match field {
            "" => {
                automatic += 1;
                positional.get(automatic - 1)
            }
            field => match field.parse::<usize>() {
                Ok(place) => positional.get(place),
                Err(_) => named.iter().find(|(name, _)| **name == *field).map(|(_, value)| value),
            },
        };
        let value = value
            .ok_or_else(|| wrong(format!("format: the field {{{}}} is not supported", quoted(field))))?;
        value.print(&mut out)?;
    }
    out.push(rest)?;
    Ok(Value::Str(out.finish().into()))
}
