//! Raw samples that leave the machine and come back: JSON with a schema version, and CSV for spreadsheets.

mod check;
mod sheet;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::check::Problem;
use crate::corpus::Category;
use crate::stats::{Measured, Metrics, Origin, Row, Simulated, Summary};
use crate::units::Ms;

/// Version of the layout; another one is refused.
pub const SCHEMA: &str = "nibble-latency/1";
/// Most text that is read, bytes.
pub const MOST_BYTES: usize = 64 << 20;

/// Why an export cannot be read or written.
#[derive(Debug, PartialEq, Error)]
pub enum ExportError {
    /// More than is read.
    #[error("the export has {bytes} bytes; at most {MOST_BYTES} are read")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// Another layout, or no export.
    #[error("the schema is \"{found}\"; this version reads \"{SCHEMA}\"")]
    Schema {
        /// What it says of itself, cut to 40 characters.
        found: String,
    },
    /// Not of its format.
    #[error("line {line}: {cause}")]
    Format {
        /// Where, from 1; 0 where the reader cannot tell.
        line: u64,
        /// What the reader of the format says.
        cause: String,
    },
    /// Values out of their ranges, all of them up to a limit.
    #[error("{}", check::list(.0))]
    Values(Vec<Problem>),
}

/// Where the samples were taken, as far as the caller knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Machine or its processor.
    pub device: String,
    /// Browser and its version; empty natively.
    pub browser: String,
    /// What computed.
    pub backend: String,
    /// Version and variant of the program.
    pub build: String,
    /// Model.
    pub model: String,
    /// When, ms since the Unix epoch.
    pub at_unix_ms: u64,
    /// Seed of whatever was random, if anything.
    pub seed: Option<u64>,
}

/// One request and when its tokens came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Prompt, by its short name.
    pub prompt: String,
    /// What it asks for.
    pub category: Category,
    /// Number of the request, from 0.
    pub run: u32,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Whether the tab was hidden at any time; such runs are kept but left out of every figure.
    pub hidden: bool,
    /// Arrivals, ms after the request; none if it was not answered.
    pub arrivals_ms: Vec<Ms>,
}

impl Run {
    /// Arrivals are rounded to a microsecond, as histograms do and finer than browsers' clocks, so that what is read
    /// back is what was written, to the bit.
    pub fn new(prompt: &str, category: Category, run: u32, prompt_tokens: u32, arrivals: &[Ms]) -> Self {
        let arrivals_ms = arrivals.iter().map(|ms| Ms((ms.0 * 1e3).round() / 1e3)).collect();
        Self { prompt: prompt.to_owned(), category, run, prompt_tokens, hidden: false, arrivals_ms }
    }

    /// Its metrics; `None` if it was not answered.
    pub fn metrics(&self) -> Option<Metrics> {
        Metrics::new(&self.arrivals_ms)
    }
}

/// Samples of one origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Export<O: Origin> {
    /// Where the samples come from.
    pub origin: O,
    /// Where they were taken.
    pub context: Context,
    /// All requests, in order.
    pub runs: Vec<Run>,
}

/// An export that was read: of either origin, and to be treated accordingly.
#[derive(Clone, Debug, PartialEq)]
pub enum Imported {
    /// Measured on some device.
    Measured(Export<Measured>),
    /// Simulated.
    Simulated(Export<Simulated>),
}

/// An origin in a file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tag {
    /// Measured on some device.
    Measured {},
    /// Simulated.
    Simulated {
        /// Preset.
        preset: String,
        /// Seed.
        seed: u64,
    },
}

impl From<&Measured> for Tag {
    fn from(_: &Measured) -> Self {
        Self::Measured {}
    }
}

impl From<&Simulated> for Tag {
    fn from(origin: &Simulated) -> Self {
        Self::Simulated { preset: origin.preset.clone(), seed: origin.seed }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    origin: Tag,
    context: &'a Context,
    /// For people who read the file; a reader of ours computes its own.
    summary: Rows,
    runs: &'a [Run],
}

#[derive(Serialize)]
struct Rows {
    ttft: Row,
    inter_token: Row,
    tpot: Row,
    end_to_end: Row,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "schema")]
    _schema: String,
    origin: Tag,
    context: Context,
    #[serde(rename = "summary")]
    _summary: Option<IgnoredAny>,
    runs: Vec<Run>,
}

/// Only the version, whatever else there is.
#[derive(Deserialize)]
struct Version {
    schema: Option<String>,
}

impl<O: Origin> Export<O>
where
    for<'a> Tag: From<&'a O>,
{
    /// The metrics of every run that was not hidden.
    pub fn summary(&self) -> Summary<O> {
        let mut summary = Summary::new(self.origin.clone());
        self.counted().for_each(|run| summary.record_arrivals(&run.arrivals_ms));
        summary
    }

    /// Runs that count: those not hidden.
    pub fn counted(&self) -> impl Iterator<Item = &Run> + Clone {
        self.runs.iter().filter(|run| !run.hidden)
    }

    /// As JSON, with the figures of [`Self::summary`] beside the raw samples.
    ///
    /// # Errors
    /// A value that could not be read back.
    pub fn to_json(&self) -> Result<String, ExportError> {
        check::check(&self.context, &self.runs)?;
        let summary = self.summary();
        let summary = Rows {
            ttft: summary.ttft.row(),
            inter_token: summary.inter_token.row(),
            tpot: summary.tpot.row(),
            end_to_end: summary.end_to_end.row(),
        };
        let origin = Tag::from(&self.origin);
        let written = Written { schema: SCHEMA, origin, context: &self.context, summary, runs: &self.runs };
        serde_json::to_string(&written).map_err(format)
    }

    /// As CSV, a line a token, every line complete in itself.
    ///
    /// # Errors
    /// A value that could not be read back.
    pub fn to_csv(&self) -> Result<String, ExportError> {
        check::check(&self.context, &self.runs)?;
        sheet::write(&Tag::from(&self.origin), &self.context, &self.runs)
    }
}

impl Imported {
    /// Reads what [`Export::to_json`] or [`Export::to_csv`] wrote: JSON if it begins with a brace.
    ///
    /// # Errors
    /// The text is too long, of another schema or no export, or holds values out of their ranges.
    pub fn read(text: &str) -> Result<Self, ExportError> {
        let text = text.trim_start_matches('\u{feff}');
        if text.len() > MOST_BYTES {
            return Err(ExportError::TooLong { bytes: text.len() });
        }
        let (origin, context, runs) =
            if text.trim_start().starts_with('{') { read_json(text)? } else { sheet::read(text)? };
        check::check(&context, &runs)?;
        Ok(match origin {
            Tag::Measured {} => Self::Measured(Export { origin: Measured, context, runs }),
            Tag::Simulated { preset, seed } => {
                Self::Simulated(Export { origin: Simulated { preset, seed }, context, runs })
            }
        })
    }
}

fn read_json(text: &str) -> Result<(Tag, Context, Vec<Run>), ExportError> {
    let version: Version = serde_json::from_str(text).map_err(format)?;
    schema(&version.schema.unwrap_or_default())?;
    let read: Read = serde_json::from_str(text).map_err(format)?;
    Ok((read.origin, read.context, read.runs))
}

fn schema(found: &str) -> Result<(), ExportError> {
    if found == SCHEMA {
        return Ok(());
    }
    Err(ExportError::Schema { found: found.chars().take(40).collect() })
}

fn format(error: serde_json::Error) -> ExportError {
    let said = error.to_string();
    let cause = said.split(" at line ").next().unwrap_or_default().to_owned();
    ExportError::Format { line: error.line() as u64, cause }
}
