//! Jinja as chat templates write it, where it differs from minijinja's: Python's methods, `tojson` as
//! `json.dumps(ensure_ascii=False)`, `raise_exception`, `strftime_now`, `{% generation %}`.

use std::fmt::Write as _;
use std::io;

use chrono::DateTime;
use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, ErrorKind, State, filters, tests};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};

/// Columns that `tojson` may indent by.
const MAX_INDENT: usize = 32;

/// Digits of the largest width or precision in a format: Rust's own formatting panics above 65,535.
const MAX_FORMAT_DIGITS: usize = 4;

/// An environment of this dialect, without templates; one template runs at most `fuel` instructions.
pub(super) fn environment(fuel: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(fuel));
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_unknown_method_callback(method);
    environment.add_filter("tojson", tojson);
    environment.add_filter("format", |state: &State<'_, '_>, pattern: &Value, values: Rest<Value>| {
        within_digits(pattern)?;
        filters::format(state, pattern, values)
    });
    environment.add_test("divisibleby", |value: &Value, by: &Value| {
        if by.as_i64() == Some(0) {
            Err(invalid("divisibleby: 0"))
        } else {
            Ok(tests::is_divisibleby(value, by))
        }
    });
    environment.add_function("raise_exception", |message: String| -> Result<String, minijinja::Error> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
    });
    environment
}

/// Python's methods; those of minijinja that panic or never end on some values are kept from them.
fn method(
    state: &State<'_, '_>,
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, minijinja::Error> {
    match (name, value.as_str()) {
        ("count", Some(_)) if arguments.first().and_then(Value::as_str) == Some("") => {
            return Err(invalid("count: nothing to count"));
        }
        ("format", Some(_)) => within_digits(value)?,
        _ => {}
    }
    unknown_method_callback(state, value, name, arguments)
}

fn within_digits(pattern: &Value) -> Result<(), minijinja::Error> {
    let mut numbers = pattern.as_str().unwrap_or_default().split(|c: char| !c.is_ascii_digit());
    match numbers.find(|number| number.len() > MAX_FORMAT_DIGITS) {
        Some(number) => Err(invalid(format!("format: {number} is too large"))),
        None => Ok(()),
    }
}

pub(super) fn invalid(cause: impl Into<std::borrow::Cow<'static, str>>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, cause)
}

/// The text that the template gave to `raise_exception`, if that is the cause.
pub(super) fn raised(error: &minijinja::Error) -> Option<&str> {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(Raised(message)) = error.downcast_ref() {
            return Some(message);
        }
        cause = error.source();
    }
    None
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

/// Lets templates ask for the date: `seconds` since 1970 on the clock that hangs on the visitor's wall.
pub(super) fn set_local_time(environment: &mut Environment<'_>, seconds: i64) {
    environment.add_function("strftime_now", move |format: String| -> Result<String, minijinja::Error> {
        let now = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let mut text = String::new();
        write!(text, "{}", now.naive_utc().format(&format))
            .map_err(|_| invalid(format!("strftime_now does not know the format {format:?}")))?;
        Ok(text)
    });
}

/// `{% generation %}` marks, for training, what the model says. It changes no text, so it becomes a block
/// with a scope of its own and nothing else.
pub(super) fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = rest.find("{%") {
        let (before, tag) = rest.split_at(at + 2);
        out.push_str(before);
        let word = tag.trim_start_matches(['-', '+']).trim_start();
        let after = |name: &str| {
            let after = word.strip_prefix(name)?;
            after.trim_start().trim_start_matches(['-', '+']).starts_with("%}").then_some(after)
        };
        rest = match (after("generation"), after("endgeneration")) {
            (None, None) => tag,
            (Some(after), _) => {
                out.push_str(&tag[..tag.len() - word.len()]);
                out.push_str("with");
                after
            }
            (None, Some(after)) => {
                out.push_str(&tag[..tag.len() - word.len()]);
                out.push_str("endwith");
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// `json.dumps(value, ensure_ascii, indent, separators)`, with `ensure_ascii` off unless asked for.
fn tojson(value: &Value, ensure_ascii: Option<bool>, options: Kwargs) -> Result<String, minijinja::Error> {
    let ascii: Option<bool> = options.get("ensure_ascii")?;
    let indent: Option<Value> = options.get("indent")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    options.assert_all_used()?;
    let indent = match indent.filter(|indent| !indent.is_none()) {
        Some(text) if text.as_str().is_some() => text.as_str().map(str::to_owned),
        Some(columns) => {
            let columns = usize::try_from(columns)?;
            if columns > MAX_INDENT {
                return Err(invalid(format!("tojson: indent is {columns}, above {MAX_INDENT}")));
            }
            Some(" ".repeat(columns))
        }
        None => None,
    };
    let [item, key] = match separators.as_deref() {
        None if indent.is_some() => [",".to_owned(), ": ".to_owned()],
        None => [", ".to_owned(), ": ".to_owned()],
        Some([item, key]) => [item.clone(), key.clone()],
        Some(others) => return Err(invalid(format!("tojson: {} separators, two are needed", others.len()))),
    };
    let ascii = ascii.or(ensure_ascii).unwrap_or(false);
    let mut out = Vec::new();
    let python = Python { indent, item, key, ascii, depth: 0, empty: true };
    value
        .serialize(&mut serde_json::Serializer::with_formatter(&mut out, python))
        .map_err(|error| invalid(format!("tojson: {error}")))?;
    String::from_utf8(out).map_err(|error| invalid(format!("tojson: {error}")))
}

/// JSON laid out as Python's `json.dumps` does.
struct Python {
    /// In front of a line, once for every level; no lines without it.
    indent: Option<String>,
    /// Between elements.
    item: String,
    /// Between a key and its value.
    key: String,
    /// Escape everything beyond ASCII.
    ascii: bool,
    depth: usize,
    /// Whether nothing stands yet in the list or object that was opened last.
    empty: bool,
}

impl Python {
    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty {
            self.line(writer)?;
        }
        self.empty = false;
        writer.write_all(bracket)
    }

    fn element<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(self.item.as_bytes())?;
        }
        self.empty = false;
        self.line(writer)
    }

    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let Some(indent) = &self.indent else { return Ok(()) };
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(indent.as_bytes()))
    }
}

impl Formatter for Python {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.element(writer, first)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.element(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !self.ascii {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if character.is_ascii() && character != '\x7f' {
                writer.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
            CharEscape::Backspace => writer.write_all(b"\\b"),
            CharEscape::FormFeed => writer.write_all(b"\\f"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(writer, "\\u{byte:04x}"),
        }
    }
}
