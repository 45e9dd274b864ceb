//! "Your numbers": a visitor's own times to the first token, read from text that may hold anything.

use std::fmt::{self, Formatter};

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

use crate::units::Ms;

/// Most text that is read, bytes.
pub const MOST_BYTES: usize = 16 << 20;
/// Most samples that are kept.
pub const MOST_SAMPLES: usize = 1_000_000;
/// Longest time that counts as one, ms: an hour.
pub const LONGEST_MS: f64 = 3_600_000.0;
/// Names of the column or field that holds the times, in the order they are looked for.
pub const NAMES: [&str; 4] = ["ttft_ms", "ttft", "latency_ms", "ms"];

/// Why a text holds no samples. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SamplesError {
    /// More than is read.
    #[error("the text has {bytes} bytes; at most {MOST_BYTES} are read")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// More than is kept.
    #[error("line {line}: there are more than {MOST_SAMPLES} samples")]
    TooMany {
        /// Of the first one too many.
        line: u64,
    },
    /// No number stands there.
    #[error("line {line}: there is no sample")]
    Empty {
        /// The last line.
        line: u64,
    },
    /// Several columns, none of which is known.
    #[error(
        "line {line}: no column is called ttft_ms, ttft, latency_ms or ms; name one so, or keep one column"
    )]
    NoColumn {
        /// Of the header.
        line: u64,
    },
    /// A cell that is no time.
    #[error("line {line}: \"{text}\" is no time; it must be a number of ms above 0, up to 3600000")]
    NotATime {
        /// Where.
        line: u64,
        /// The text there, cut to 40 characters.
        text: String,
    },
    /// The text is not of its format.
    #[error("line {line}: {cause}")]
    Format {
        /// Where; 0 where the reader cannot tell.
        line: u64,
        /// The message of the format's reader.
        cause: String,
    },
}

/// Times from CSV or JSON: JSON if the first character is a bracket or a brace.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn read(text: &str) -> Result<Vec<Ms>, SamplesError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.len() > MOST_BYTES {
        return Err(SamplesError::TooLong { bytes: text.len() });
    }
    if text.trim_start().starts_with(['[', '{']) { read_json(text) } else { read_csv(text) }
}

/// One column, with a header or without; or several, one of which has one of [`NAMES`].
fn read_csv(text: &str) -> Result<Vec<Ms>, SamplesError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut samples = Vec::new();
    let mut column = None;
    for record in reader.records() {
        let record = record.map_err(|error| SamplesError::Format {
            line: line_of(text, error.position()),
            cause: error.to_string(),
        })?;
        let line = || line_of(text, record.position());
        let index = match column {
            Some(index) => index,
            None => {
                let (index, is_header) =
                    header(&record).ok_or_else(|| SamplesError::NoColumn { line: line() })?;
                column = Some(index);
                if is_header {
                    continue;
                }
                index
            }
        };
        if samples.len() == MOST_SAMPLES {
            return Err(SamplesError::TooMany { line: line() });
        }
        let cell = record.get(index).unwrap_or_default();
        let bad = || SamplesError::NotATime { line: line(), text: cell.chars().take(40).collect() };
        samples.push(cell.parse().ok().and_then(checked).ok_or_else(bad)?);
    }
    let line = text.lines().count().max(1) as u64;
    if samples.is_empty() { Err(SamplesError::Empty { line }) } else { Ok(samples) }
}

/// Line of a record, from 1. Its position is that of the blank lines before it, which the reader does not count.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let start = position.map_or(0, |position| position.byte() as usize).min(text.len());
    let blank = text.as_bytes()[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    1 + text.as_bytes()[..start + blank].iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Which column holds the times, and whether this first record is its header; `None` if none does.
fn header(record: &csv::StringRecord) -> Option<(usize, bool)> {
    let named = |name: &&str| record.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    match NAMES.iter().find_map(named) {
        Some(index) => Some((index, true)),
        None if record.len() > 1 => None,
        None => Some((0, record.get(0).is_some_and(is_word))),
    }
}

/// A header of one column may have any name, but NaN or a broken number is no name.
fn is_word(cell: &str) -> bool {
    cell.starts_with(char::is_alphabetic) && cell.parse::<f64>().is_err()
}

fn checked(ms: f64) -> Option<Ms> {
    (ms > 0.0 && ms <= LONGEST_MS).then_some(Ms(ms))
}

/// A list, or an object that holds it as `samples`; in the list numbers, or objects with one of [`NAMES`].
fn read_json(text: &str) -> Result<Vec<Ms>, SamplesError> {
    let list: List = serde_json::from_str(text).map_err(|error| {
        let line = error.line() as u64;
        let said = error.to_string();
        let cause = said.split(" at line ").next().unwrap_or_default().to_owned();
        SamplesError::Format { line, cause }
    })?;
    let line = text.lines().count().max(1) as u64;
    if list.0.is_empty() { Err(SamplesError::Empty { line }) } else { Ok(list.0) }
}

/// Visitors instead of derived types, so that an error has its line.
struct List(Vec<Ms>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a list of times in ms, or an object that holds one as \"samples\"")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List, A::Error> {
        let mut samples = Vec::new();
        while let Some(Sample(time)) = list.next_element()? {
            if samples.len() == MOST_SAMPLES {
                return Err(A::Error::custom(format_args!("there are more than {MOST_SAMPLES} samples")));
            }
            samples.push(time);
        }
        Ok(List(samples))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<List, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "samples" {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("the object has no \"samples\""))
    }
}

struct Sample(Ms);

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SampleVisitor)
    }
}

struct SampleVisitor;

impl<'de> Visitor<'de> for SampleVisitor {
    type Value = Sample;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a number of ms, or an object with ttft_ms, ttft, latency_ms or ms")
    }

    fn visit_f64<E: serde::de::Error>(self, ms: f64) -> Result<Sample, E> {
        let bad = || E::custom(format_args!("{ms} is no time; it must be above 0 ms, up to {LONGEST_MS}"));
        checked(ms).map(Sample).ok_or_else(bad)
    }

    fn visit_u64<E: serde::de::Error>(self, ms: u64) -> Result<Sample, E> {
        self.visit_f64(ms as f64)
    }

    fn visit_i64<E: serde::de::Error>(self, ms: i64) -> Result<Sample, E> {
        self.visit_f64(ms as f64)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sample, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if NAMES.contains(&key.as_str()) {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        found.ok_or_else(|| A::Error::custom("the object has no ttft_ms, ttft, latency_ms or ms"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> Vec<f64> {
        read(text).unwrap().into_iter().map(|ms| ms.0).collect()
    }

    fn refusal(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn columns_and_lists_are_read() {
        for text in [
            "120\n130.5\n1e2",
            "ttft_ms\n120\n130.5\n100\n",
            "\u{feff}run, TTFT_ms ,note\r\n1, 120,a\r\n2,130.5,\"b, c\"\r\n3,100,\r\n",
            "first token\n120\n\n130.5\n100",
            "[120, 130.5, 100.0]",
            r#"[{"ttft_ms": 120, "id": [1, {}]}, {"ms": 130.5}, 100]"#,
            r#" {"model": "x", "samples": [120, 130.5, 100]}"#,
        ] {
            assert_eq!(times(text), [120.0, 130.5, 100.0], "{text}");
        }
    }

    #[test]
    fn hostile_text_is_refused_with_line_and_cause() {
        for (text, says) in [
            ("", "line 1: there is no sample"),
            ("ttft_ms\n", "line 1: there is no sample"),
            ("120\n-5\n", "line 2: \"-5\" is no time"),
            ("120\n\nNaN", "line 3: \"NaN\" is no time"),
            ("120\ninf", "line 2: \"inf\" is no time"),
            ("0x10\n", "line 1: \"0x10\" is no time"),
            ("=cmd|'/c calc'!A0\n1", "line 1: \"=cmd|'/c calc'!A0\" is no time"),
            ("a,b\n1,2", "line 1: no column is called ttft_ms"),
            ("x,ms\n1,2\n3", "line 3: \"\" is no time"),
            ("4000000", "line 1: \"4000000\" is no time"),
            ("[1,\n2,\n-3]", "line 3: -3 is no time"),
            ("[1,\n\"2\"]", "line 2: invalid type: string"),
            ("[1,\n2", "line 2: EOF while parsing a list"),
            ("[1e999]", "line 1: number out of range"),
            ("[]", "line 1: there is no sample"),
            ("{}", "line 1: the object has no \"samples\""),
            ("[{\"x\":1}]", "line 1: the object has no ttft_ms"),
        ] {
            let said = refusal(text);
            assert!(said.starts_with(says), "{text:?}: {said}");
        }
        assert!(refusal(&"[".repeat(100_000)).contains("line 1"), "depth is no way to overflow the stack");
        assert!(refusal(&"1".repeat(MOST_BYTES + 1)).contains("16777217 bytes"));
        assert!(refusal(&"1\n".repeat(MOST_SAMPLES + 1)).starts_with("line 1000001: there are more than"));
        let long = refusal(&format!("1\n{}", "é".repeat(1000)));
        assert!(long.chars().count() < 140, "{long}");
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn any_text_gives_samples_or_a_sentence(text in "[\\[\\]{}\",:a-z0-9.\n\r\u{feff} e-]{0,80}") {
            if let Ok(samples) = read(&text) {
                proptest::prop_assert!(samples.iter().all(|ms| ms.0 > 0.0 && ms.0 <= LONGEST_MS));
            }
        }
    }
}
