//! Typed access to the header's key-value pairs; what is missing or of another type is named.

use std::collections::HashMap;

use candle_core::quantized::gguf_file::Value;

use super::list::List;
use crate::error::{Error, Result};

/// The key-value pairs of a GGUF header; of its lists, where they lie.
pub struct Metadata {
    file: String,
    values: HashMap<String, Value>,
    lists: HashMap<String, List>,
}

impl Metadata {
    pub(super) fn new(file: &str, values: HashMap<String, Value>, lists: HashMap<String, List>) -> Self {
        Self { file: file.to_owned(), values, lists }
    }

    /// Name of the file, for messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// A whole number of any width, not negative.
    ///
    /// # Errors
    /// The key is missing or holds something else; so for all of these.
    pub fn usize(&self, key: &str) -> Result<usize> {
        self.required(key, self.opt_usize(key)?)
    }

    /// As [`Self::usize`], `None` when the key is missing.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn opt_usize(&self, key: &str) -> Result<Option<usize>> {
        self.typed(key, "a whole number", |value| whole(value).and_then(|v| usize::try_from(v).ok()))
    }

    /// A float.
    ///
    /// # Errors
    /// As [`Self::usize`].
    pub fn f32(&self, key: &str) -> Result<f32> {
        self.required(key, self.opt_f32(key)?)
    }

    /// A float, `None` when the key is missing.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn opt_f32(&self, key: &str) -> Result<Option<f32>> {
        self.typed(key, "a finite number", |value| match value {
            Value::F32(v) => Some(*v).filter(|v| v.is_finite()),
            Value::F64(v) => Some(*v as f32).filter(|v| v.is_finite()),
            _ => None,
        })
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Self::usize`].
    pub fn str(&self, key: &str) -> Result<&str> {
        self.required(key, self.opt_str(key)?)
    }

    /// A text, `None` when the key is missing.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn opt_str(&self, key: &str) -> Result<Option<&str>> {
        self.typed(key, "a text", |value| match value {
            Value::String(v) => Some(v.as_str()),
            _ => None,
        })
    }

    /// Yes or no, `None` when the key is missing.
    ///
    /// # Errors
    /// The key holds something else.
    pub fn opt_bool(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "yes or no", |value| match value {
            Value::Bool(v) => Some(*v),
            _ => None,
        })
    }

    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().chain(self.lists.keys()).map(String::as_str)
    }

    /// A number of any type; `None` for anything else, and where the key is missing.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.values.get(key)? {
            Value::F32(v) => Some((*v).into()),
            Value::F64(v) => Some(*v),
            other => whole(other).map(|v| v as f64),
        }
    }

    /// The value as messages show it.
    pub fn shown(&self, key: &str) -> String {
        match (self.values.get(key), self.lists.get(key)) {
            (Some(value), _) => plain(value),
            (None, Some(list)) => describe_list(list),
            (None, None) => "missing".to_owned(),
        }
    }

    /// Number of elements of a list.
    ///
    /// # Errors
    /// As [`Self::usize`].
    pub fn len(&self, key: &str) -> Result<usize> {
        self.required(key, self.list(key, "a list", |_| true)?).map(|list| list.len as usize)
    }

    /// Where a list lies whose elements are of a `fitting` type; an empty one may be of any.
    pub(super) fn list(
        &self,
        key: &str,
        expected: &str,
        fitting: impl Fn(u32) -> bool,
    ) -> Result<Option<List>> {
        match (self.lists.get(key), self.values.get(key)) {
            (Some(list), _) if list.len == 0 || fitting(list.kind) => Ok(Some(*list)),
            (Some(list), _) => Err(self.unexpected(key, expected, &describe_list(list))),
            (None, Some(value)) => Err(self.unexpected(key, expected, &describe(value))),
            (None, None) => Ok(None),
        }
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>> {
        match (self.values.get(key), self.lists.get(key)) {
            (Some(value), _) => {
                read(value).map(Some).ok_or_else(|| self.unexpected(key, expected, &describe(value)))
            }
            (None, Some(list)) => Err(self.unexpected(key, expected, &describe_list(list))),
            (None, None) => Ok(None),
        }
    }

    fn unexpected(&self, key: &str, expected: &str, found: &str) -> Error {
        self.bad(format!("metadata {key} should be {expected} and is {found}"))
    }

    pub(super) fn required<T>(&self, key: &str, value: Option<T>) -> Result<T> {
        value.ok_or_else(|| self.bad(format!("metadata key {key} is missing")))
    }

    fn bad(&self, cause: String) -> Error {
        Error::BadFile { file: self.file.clone(), cause }
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::U8(v) => Some((*v).into()),
        Value::I8(v) => Some((*v).into()),
        Value::U16(v) => Some((*v).into()),
        Value::I16(v) => Some((*v).into()),
        Value::U32(v) => Some((*v).into()),
        Value::I32(v) => Some((*v).into()),
        Value::U64(v) => i64::try_from(*v).ok(),
        Value::I64(v) => Some(*v),
        _ => None,
    }
}

/// Type, and the value itself where it is short.
fn describe(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() > 60 => format!("a text of {} bytes", text.len()),
        short => format!("{short:?}"),
    }
}

/// The value without its type.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 60 => text.clone(),
        Value::F32(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
        Value::Bool(v) => v.to_string(),
        other => whole(other).map_or_else(|| describe(other), |v| v.to_string()),
    }
}

fn describe_list(list: &List) -> String {
    format!("a list of {}", list.len)
}
