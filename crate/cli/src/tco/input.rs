//! Inputs from a file and from the command line.

use std::path::Path;

use anyhow::{Context, Result};
use economics::{Given, InputError, Scenario, read_inputs};
use toml::{Table, Value};

use crate::usage::BadUsage;

/// An input file holds a few hundred lines; a file of another kind is not read to its end.
const LARGEST_FILE: u64 = 1 << 20;

/// The article's example with what was given put in.
///
/// # Errors
/// Everything wrong with the inputs at once.
pub(super) fn scenario(file: Option<&Path>, set: &[String]) -> Result<Scenario> {
    let mut given = match file {
        Some(path) => of_file(path)?,
        None => Vec::new(),
    };
    for assignment in set {
        let (key, value) = of_argument(assignment)?;
        // The last assignment holds.
        given.retain(|(earlier, _)| *earlier != key);
        given.push((key, value));
    }
    read_inputs(&given).map_err(|errors| BadUsage(sentences(&errors)).into())
}

pub(super) fn sentences(errors: &[InputError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn of_file(path: &Path) -> Result<Vec<(String, Given)>> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if size > LARGEST_FILE {
        return Err(
            BadUsage(format!("{shown} has {size} bytes; an input file has at most {LARGEST_FILE}")).into()
        );
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let table: Table =
        text.parse().map_err(|error: toml::de::Error| BadUsage(format!("{shown}: {error}")))?;
    let mut given = Vec::new();
    for (section, value) in table {
        match value {
            Value::Table(inputs) => {
                given
                    .extend(inputs.into_iter().map(|(name, value)| (format!("{section}.{name}"), of(value))));
            }
            value => given.push((section, of(value))),
        }
    }
    Ok(given)
}

fn of(value: Value) -> Given {
    match value {
        Value::Integer(number) => Given::Number(number as f64),
        Value::Float(number) => Given::Number(number),
        Value::String(text) => Given::Text(text),
        other => Given::Other(other.to_string()),
    }
}

fn of_argument(assignment: &str) -> Result<(String, Given)> {
    let Some((key, value)) = assignment.split_once('=') else {
        return Err(BadUsage(format!("--set {assignment}: write it as section.name=value")).into());
    };
    let value = value.trim();
    let given = value.parse().map_or_else(|_| Given::Text(value.to_owned()), Given::Number);
    Ok((key.trim().to_owned(), given))
}
