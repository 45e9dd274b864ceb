//! An export as CSV: a line a token, with everything that JSON says once said on every line.

use ::csv::StringRecord;
use figures::sheet;
use serde::{Deserialize, Serialize};

use super::error::{self, ExportError, SCHEMA};
use super::run::{Context, Run, Tag};
use crate::samples::corpus::Category;
use crate::units::Ms;

/// One line. Text goes through [`sheet::guarded`] on its way out and [`sheet::plain`] on its way in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    schema: String,
    origin: String,
    preset: String,
    preset_seed: Option<u64>,
    device: String,
    browser: String,
    backend: String,
    build: String,
    model: String,
    at_unix_ms: u64,
    seed: Option<u64>,
    prompt: String,
    category: Category,
    run: u32,
    prompt_tokens: u32,
    hidden: bool,
    token: Option<u32>,
    at_ms: Option<f64>,
}

pub(super) fn write(origin: &Tag, context: &Context, runs: &[Run]) -> Result<String, ExportError> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    for run in runs {
        let mut line = line(origin, context, run);
        if run.arrivals_ms.is_empty() {
            writer.serialize(&line).map_err(|error| format(&error))?;
        }
        for (token, at) in run.arrivals_ms.iter().enumerate() {
            (line.token, line.at_ms) = (Some(token as u32), Some(at.0));
            writer.serialize(&line).map_err(|error| format(&error))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| refused(0, &error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| refused(0, &error.to_string()))
}

fn line(origin: &Tag, context: &Context, run: &Run) -> Line {
    let (origin, preset, preset_seed) = match origin {
        Tag::Measured {} => ("measured", String::new(), None),
        Tag::Simulated { preset, seed } => ("simulated", sheet::guarded(preset).into_owned(), Some(*seed)),
    };
    Line {
        schema: SCHEMA.to_owned(),
        origin: origin.to_owned(),
        preset,
        preset_seed,
        device: sheet::guarded(&context.device).into_owned(),
        browser: sheet::guarded(&context.browser).into_owned(),
        backend: sheet::guarded(&context.backend).into_owned(),
        build: sheet::guarded(&context.build).into_owned(),
        model: sheet::guarded(&context.model).into_owned(),
        at_unix_ms: context.at_unix_ms,
        seed: context.seed,
        prompt: sheet::guarded(&run.prompt).into_owned(),
        category: run.category,
        run: run.run,
        prompt_tokens: run.prompt_tokens,
        hidden: run.hidden,
        token: None,
        at_ms: None,
    }
}

pub(super) fn read(text: &str) -> Result<(Tag, Context, Vec<Run>), ExportError> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format(&error))?.clone();
    if header.get(0) != Some("schema") {
        error::schema(header.get(0).unwrap_or_default())?;
    }
    let (mut first, mut runs): (Option<Line>, Vec<Run>) = (None, Vec::new());
    for record in reader.records() {
        let record: StringRecord = record.map_err(|error| format(&error))?;
        let number = record.position().map_or(0, ::csv::Position::line);
        error::schema(record.get(0).unwrap_or_default())?;
        let line: Line = record.deserialize(Some(&header)).map_err(|error| format(&error))?;
        let begun = first.get_or_insert_with(|| line.clone());
        if !same_source(begun, &line) {
            return Err(refused(number, "it comes from another device, build or origin than the first"));
        }
        add(&mut runs, line).map_err(|cause| refused(number, cause))?;
    }
    let first = first.ok_or_else(|| refused(1, "there is no sample"))?;
    Ok((origin(&first)?, context(first), runs))
}

/// Puts a token behind the others of its run, or begins the next run.
fn add(runs: &mut Vec<Run>, line: Line) -> Result<(), &'static str> {
    let Line { prompt, category, run, prompt_tokens, hidden, token, at_ms, .. } = line;
    let fresh = Run {
        prompt: sheet::plain(&prompt).to_owned(),
        category,
        run,
        prompt_tokens,
        hidden,
        arrivals_ms: Vec::new(),
    };
    let at = match (token, at_ms) {
        (None, None) => {
            runs.push(fresh);
            return Ok(());
        }
        (Some(token), Some(at)) => (token as usize, Ms(at)),
        _ => return Err("token and at_ms go together"),
    };
    if at.0 == 0 {
        runs.push(fresh);
    }
    let last = runs.last_mut().filter(|last| last.run == run && last.arrivals_ms.len() == at.0);
    last.ok_or("its token does not follow the one in the line before")?.arrivals_ms.push(at.1);
    Ok(())
}

fn same_source(a: &Line, b: &Line) -> bool {
    let key = |line: &Line| {
        let Line { origin, preset, device, browser, backend, build, model, .. } = line.clone();
        (
            [origin, preset, device, browser, backend, build, model],
            line.preset_seed,
            line.at_unix_ms,
            line.seed,
        )
    };
    key(a) == key(b)
}

fn origin(line: &Line) -> Result<Tag, ExportError> {
    match (line.origin.as_str(), line.preset_seed) {
        ("measured", None) => Ok(Tag::Measured {}),
        ("simulated", Some(seed)) => {
            Ok(Tag::Simulated { preset: sheet::plain(&line.preset).to_owned(), seed })
        }
        _ => Err(refused(2, "the origin must be measured, or simulated with a preset_seed")),
    }
}

fn context(line: Line) -> Context {
    Context {
        device: sheet::plain(&line.device).to_owned(),
        browser: sheet::plain(&line.browser).to_owned(),
        backend: sheet::plain(&line.backend).to_owned(),
        build: sheet::plain(&line.build).to_owned(),
        model: sheet::plain(&line.model).to_owned(),
        at_unix_ms: line.at_unix_ms,
        seed: line.seed,
    }
}

fn format(error: &::csv::Error) -> ExportError {
    refused(error.position().map_or(0, ::csv::Position::line), &error.to_string())
}

fn refused(line: u64, cause: &str) -> ExportError {
    ExportError::Format { line, cause: cause.to_owned() }
}
