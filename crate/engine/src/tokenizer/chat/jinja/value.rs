//! Values as Python sees them, with its truth, equality, order, `str` and `repr`; minijinja carries them about.

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, ValueKind};

use super::budget::{Budget, STEP};
use super::fault::{Result, wrong};
use super::text::{Text, float};

/// Lists and maps inside each other; walking or dropping a value takes stack.
const MAX_DEPTH: u32 = 64;

/// A value. Lists and maps never change and hold only each other, so none can hold itself.
#[derive(Clone, Debug)]
pub(in super::super) enum Value {
    Undefined,
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
    List(Arc<List>),
    Map(Arc<Map>),
    /// What minijinja runs by itself: a namespace, `loop`, a macro, a function.
    Own(minijinja::Value),
}

/// A list or tuple.
#[derive(Debug)]
pub(in super::super) struct List {
    pub(super) items: Vec<Value>,
    pub(super) tuple: bool,
    depth: u32,
}

/// A map in the order in which keys came; a few keys each, so they are searched one by one.
#[derive(Debug)]
pub(in super::super) struct Map {
    pub(super) entries: Vec<(Value, Value)>,
    depth: u32,
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.items.get(key.as_usize()?).cloned().map(minijinja::Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }
}

/// All that is asked of a map apart from its truth is asked of [`Value`].
impl Object for Map {
    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.entries.len())
    }
}

impl From<Value> for minijinja::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Undefined => Self::UNDEFINED,
            Value::None => Self::from(()),
            Value::Bool(value) => Self::from(value),
            Value::Int(value) => Self::from(value),
            Value::Float(value) => Self::from(value),
            Value::Str(text) => Self::from(text),
            Value::List(list) => Self::from_dyn_object(list),
            Value::Map(map) => Self::from_dyn_object(map),
            Value::Own(value) => value,
        }
    }
}

impl Value {
    pub(super) fn of(value: &minijinja::Value) -> Self {
        let own = || Self::Own(value.clone());
        match value.kind() {
            ValueKind::Undefined => Self::Undefined,
            ValueKind::None => Self::None,
            ValueKind::Bool => Self::Bool(value.is_true()),
            ValueKind::String => value.to_str().map_or_else(own, Self::Str),
            ValueKind::Number if value.is_integer() => value.as_i64().map_or_else(own, Self::Int),
            ValueKind::Number => f64::try_from(value.clone()).map_or_else(|_| own(), Self::Float),
            ValueKind::Seq => value.downcast_object().map_or_else(own, Self::List),
            ValueKind::Map => value.downcast_object().map_or_else(own, Self::Map),
            _ => own(),
        }
    }

    pub(in super::super) fn str(text: &str) -> Self {
        Self::Str(text.into())
    }

    /// A list; its places are paid for here.
    pub(in super::super) fn list(items: Vec<Self>, budget: &Budget) -> Result<Self> {
        Self::sequence(items, false, budget)
    }

    pub(super) fn tuple(items: Vec<Self>, budget: &Budget) -> Result<Self> {
        Self::sequence(items, true, budget)
    }

    pub(super) fn sequence(items: Vec<Self>, tuple: bool, budget: &Budget) -> Result<Self> {
        budget.places(items.len() + 1)?;
        let depth = deeper(items.iter())?;
        Ok(Self::List(Arc::new(List { items, tuple, depth })))
    }

    /// A map; a later value of the same key takes the earlier one's place.
    pub(super) fn map(pairs: Vec<(Self, Self)>, budget: &Budget) -> Result<Self> {
        budget.places(2 * pairs.len() + 1)?;
        let depth = deeper(pairs.iter().map(|(_, value)| value))?;
        let mut entries: Vec<(Self, Self)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            if !matches!(key, Self::None | Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Str(_)) {
                return Err(wrong(format!("a {} cannot be a key", key.kind())));
            }
            let mut at = None;
            for (place, (known, _)) in entries.iter().enumerate() {
                if known.equals(&key, budget)? {
                    at = Some(place);
                    break;
                }
            }
            match at {
                Some(at) => entries[at].1 = value,
                None => entries.push((key, value)),
            }
        }
        Ok(Self::Map(Arc::new(Map { entries, depth })))
    }

    /// A map of texts, from outside a run.
    pub(in super::super) fn record(fields: &[(&str, Self)], budget: &Budget) -> Result<Self> {
        Self::map(fields.iter().map(|(key, value)| (Self::str(key), value.clone())).collect(), budget)
    }

    fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// The value, if a list, a map or a namespace may hold it. What can change may not: it could hold itself.
    pub(super) fn held(&self) -> Result<&Self> {
        match self {
            Self::Own(_) => Err(wrong(format!("a {} cannot be held by another value", self.kind()))),
            value => Ok(value),
        }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined value",
            Self::None => "none",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Str(_) => "string",
            Self::List(_) => "list",
            Self::Map(_) => "mapping",
            Self::Own(_) => "namespace, loop or function",
        }
    }

    pub(super) fn truthy(&self) -> bool {
        match self {
            Self::Undefined | Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Own(_) => true,
        }
    }

    /// An integer; booleans are some, as in Python.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Bool(value) => Some(i64::from(*value)),
            _ => None,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            other => other.as_int().map(|value| value as f64),
        }
    }

    /// What a loop runs over: elements, keys, characters.
    pub(super) fn iterate(&self, budget: &Budget) -> Result<Vec<Self>> {
        match self {
            Self::Undefined => Ok(Vec::new()),
            Self::List(list) => {
                budget.places(list.items.len())?;
                Ok(list.items.clone())
            }
            Self::Map(map) => {
                budget.places(map.entries.len())?;
                Ok(map.entries.iter().map(|(key, _)| key.clone()).collect())
            }
            Self::Str(text) => {
                budget.places(text.len())?;
                Ok(text.chars().map(|c| Self::str(c.encode_utf8(&mut [0; 4]))).collect())
            }
            other => Err(wrong(format!("a {} cannot be looped over", other.kind()))),
        }
    }

    /// The value of a key.
    pub(super) fn key(&self, key: &Self, budget: &Budget) -> Result<Option<Self>> {
        let Self::Map(map) = self else { return Ok(None) };
        for (known, value) in &map.entries {
            if known.equals(key, budget)? {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }

    /// Python's `==`.
    pub(super) fn equals(&self, other: &Self, budget: &Budget) -> Result<bool> {
        budget.spend(STEP)?;
        Ok(match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::None, Self::None) => true,
            (Self::Str(a), Self::Str(b)) => {
                budget.spend(a.len().min(b.len()) as u64)?;
                a == b
            }
            (Self::List(a), Self::List(b)) => {
                if a.items.len() != b.items.len() || a.tuple != b.tuple {
                    return Ok(false);
                }
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !a.equals(b, budget)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Map(a), Self::Map(b)) => {
                if a.entries.len() != b.entries.len() {
                    return Ok(false);
                }
                for (key, value) in &a.entries {
                    match other.key(key, budget)? {
                        Some(found) if found.equals(value, budget)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Self::Own(_), _) | (_, Self::Own(_)) => {
                return Err(wrong(format!("a {} and a {} cannot be compared", self.kind(), other.kind())));
            }
            (a, b) => match (a.as_int(), b.as_int()) {
                (Some(a), Some(b)) => a == b,
                _ => matches!((a.as_float(), b.as_float()), (Some(a), Some(b)) if a == b),
            },
        })
    }

    /// Python's `<` and its like: numbers with numbers, strings with strings.
    pub(super) fn compare(&self, other: &Self, budget: &Budget) -> Result<Option<Ordering>> {
        budget.spend(STEP)?;
        if let (Self::Str(a), Self::Str(b)) = (self, other) {
            budget.spend(a.len().min(b.len()) as u64)?;
            return Ok(Some(a.cmp(b)));
        }
        if let (Some(a), Some(b)) = (self.as_int(), other.as_int()) {
            return Ok(Some(a.cmp(&b)));
        }
        match (self.as_float(), other.as_float()) {
            (Some(a), Some(b)) => Ok(a.partial_cmp(&b)),
            _ => Err(wrong(format!("a {} and a {} have no order", self.kind(), other.kind()))),
        }
    }

    /// Python's `str`, as what it prints.
    pub(super) fn text(&self, budget: &Budget) -> Result<Arc<str>> {
        if let Self::Str(text) = self {
            return Ok(Arc::clone(text));
        }
        let mut text = Text::new(budget);
        self.print(&mut text)?;
        Ok(text.finish().into())
    }

    /// Appends Python's `str`.
    pub(super) fn print(&self, out: &mut Text<'_>) -> Result<()> {
        match self {
            Self::Undefined => Ok(()),
            Self::Str(text) => out.push(text),
            other => other.repr(out),
        }
    }

    /// Appends Python's `repr`; private-use characters stay what they are.
    pub(super) fn repr(&self, out: &mut Text<'_>) -> Result<()> {
        out.budget().spend(STEP)?;
        match self {
            Self::Undefined => out.push("Undefined"),
            Self::None => out.push("None"),
            Self::Bool(value) => out.push(if *value { "True" } else { "False" }),
            Self::Int(value) => out.push(&value.to_string()),
            Self::Float(value) => out.push(&float(*value)),
            Self::Str(text) => quote(text, out),
            Self::List(list) => {
                let (open, close) = if list.tuple { ("(", ")") } else { ("[", "]") };
                out.push(open)?;
                for (place, item) in list.items.iter().enumerate() {
                    if place > 0 {
                        out.push(", ")?;
                    }
                    item.repr(out)?;
                }
                if list.tuple && list.items.len() == 1 {
                    out.push(",")?;
                }
                out.push(close)
            }
            Self::Map(map) => {
                out.push("{")?;
                for (place, (key, value)) in map.entries.iter().enumerate() {
                    if place > 0 {
                        out.push(", ")?;
                    }
                    key.repr(out)?;
                    out.push(": ")?;
                    value.repr(out)?;
                }
                out.push("}")
            }
            other => Err(wrong(format!("a {} cannot be printed", other.kind()))),
        }
    }
}

fn deeper<'v>(values: impl Iterator<Item = &'v Value>) -> Result<u32> {
    let mut depth = 1;
    for value in values {
        depth = depth.max(1 + value.held()?.depth());
    }
    if depth > MAX_DEPTH {
        return Err(wrong(format!("lists stand inside lists more than {MAX_DEPTH} deep")));
    }
    Ok(depth)
}

fn quote(text: &str, out: &mut Text<'_>) -> Result<()> {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push_char(mark)?;
    for c in text.chars() {
        match c {
            '\n' => out.push("\\n")?,
            '\r' => out.push("\\r")?,
            '\t' => out.push("\\t")?,
            '\\' => out.push("\\\\")?,
            c if c == mark => {
                out.push("\\")?;
                out.push_char(c)?;
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c == '\u{ad}' => {
                out.push(&format!("\\x{:02x}", c as u32))?;
            }
            '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{feff}' => {
                out.push(&format!("\\u{:04x}", c as u32))?;
            }
            c => out.push_char(c)?,
        }
    }
    out.push_char(mark)
}
