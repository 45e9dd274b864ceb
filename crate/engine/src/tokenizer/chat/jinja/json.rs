//! `tojson` as `transformers` defines it: `json.dumps(value, ensure_ascii, indent, separators, sort_keys)`, with
//! `ensure_ascii` off unless asked for.

use std::sync::Arc;

use super::arguments::Arguments;
use super::budget::{Budget, STEP};
use super::fault::{Result, wrong};
use super::text::{Text, float};
use super::value::Value;

/// Columns that `tojson` may indent by.
const MAX_INDENT: usize = 32;

/// `tojson`.
pub(super) fn dumps(value: &Value, mut given: Arguments, budget: &Budget) -> Result<Value> {
    let ascii = given.next_flag("ensure_ascii");
    let indent = match given.next("indent") {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text),
        Some(columns) => {
            let columns = columns.as_int().and_then(|columns| usize::try_from(columns).ok());
            let columns = columns.filter(|columns| *columns <= MAX_INDENT);
            let columns =
                columns.ok_or_else(|| wrong(format!("tojson indents by 0 to {MAX_INDENT} columns")))?;
            Some(" ".repeat(columns).into())
        }
    };
    let (item, key) = match given.next("separators") {
        None | Some(Value::None) if indent.is_some() => (",".into(), ": ".into()),
        None | Some(Value::None) => (", ".into(), ": ".into()),
        Some(Value::List(list)) => match &*list.items {
            [Value::Str(item), Value::Str(key)] => (Arc::clone(item), Arc::clone(key)),
            _ => return Err(wrong("tojson needs two separators, both strings")),
        },
        Some(other) => return Err(wrong(format!("tojson's separators are a {}", other.kind()))),
    };
    let sorted = given.next_flag("sort_keys");
    given.finish()?;
    let mut out = Text::new(budget);
    Layout { ascii, indent, item, key, sorted }.write(value, 1, &mut out)?;
    Ok(Value::Str(out.finish().into()))
}

/// How the text is laid out.
struct Layout {
    /// Escape everything beyond ASCII.
    ascii: bool,
    /// In front of a line, once for every level; no lines without it.
    indent: Option<Arc<str>>,
    /// Between elements.
    item: Arc<str>,
    /// Between a key and its value.
    key: Arc<str>,
    sorted: bool,
}

impl Layout {
    fn write(&self, value: &Value, level: usize, out: &mut Text<'_>) -> Result<()> {
        out.budget().spend(STEP)?;
        match value {
            Value::None => out.push("null"),
            Value::Bool(value) => out.push(if *value { "true" } else { "false" }),
            Value::Int(value) => out.push(&value.to_string()),
            Value::Float(value) => out.push(&number(*value)),
            Value::Str(text) => self.string(text, out),
            Value::List(list) if list.items.is_empty() => out.push("[]"),
            Value::List(list) => {
                out.push("[")?;
                for (place, item) in list.items.iter().enumerate() {
                    self.element(place, level, out)?;
                    self.write(item, level + 1, out)?;
                }
                self.line(level - 1, out)?;
                out.push("]")
            }
            Value::Map(map) if map.entries.is_empty() => out.push("{}"),
            Value::Map(map) => {
                out.budget().places(map.entries.len())?;
                let mut entries = Vec::with_capacity(map.entries.len());
                for (key, value) in &map.entries {
                    entries.push((name(key)?, value));
                }
                if self.sorted {
                    let names: usize = entries.iter().map(|(name, _)| name.len()).sum();
                    out.budget().spend((names as u64).saturating_mul(16))?;
                    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                out.push("{")?;
                for (place, (name, value)) in entries.into_iter().enumerate() {
                    self.element(place, level, out)?;
                    self.string(&name, out)?;
                    out.push(&self.key)?;
                    self.write(value, level + 1, out)?;
                }
                self.line(level - 1, out)?;
                out.push("}")
            }
            other => Err(wrong(format!("a {} is not JSON", other.kind()))),
        }
    }

    fn element(&self, place: usize, level: usize, out: &mut Text<'_>) -> Result<()> {
        if place > 0 {
            out.push(&self.item)?;
        }
        self.line(level, out)
    }

    fn line(&self, level: usize, out: &mut Text<'_>) -> Result<()> {
        let Some(indent) = &self.indent else { return Ok(()) };
        out.push("\n")?;
        out.repeat(indent, level)
    }

    fn string(&self, text: &str, out: &mut Text<'_>) -> Result<()> {
        out.push("\"")?;
        for c in text.chars() {
            match c {
                '"' => out.push("\\\"")?,
                '\\' => out.push("\\\\")?,
                '\n' => out.push("\\n")?,
                '\r' => out.push("\\r")?,
                '\t' => out.push("\\t")?,
                '\x08' => out.push("\\b")?,
                '\x0c' => out.push("\\f")?,
                c if (c as u32) < 0x20 => out.push(&format!("\\u{:04x}", c as u32))?,
                c if self.ascii && (!c.is_ascii() || c == '\x7f') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push(&format!("\\u{unit:04x}"))?;
                    }
                }
                c => out.push_char(c)?,
            }
        }
        out.push("\"")
    }
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => float(value),
    }
}

fn name(key: &Value) -> Result<Arc<str>> {
    Ok(match key {
        Value::Str(text) => Arc::clone(text),
        Value::None => "null".into(),
        Value::Bool(value) => if *value { "true" } else { "false" }.into(),
        Value::Int(value) => value.to_string().into(),
        Value::Float(value) => number(*value).into(),
        other => return Err(wrong(format!("a {} is no key of JSON", other.kind()))),
    })
}
