//! An export as JSON, with the figures beside the raw samples.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::error::{ExportError, SCHEMA, schema};
use super::run::{Context, Run, Tag};
use crate::samples::stats::{Origin, Row, Summary};

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

pub(super) fn write<O: Origin>(
    origin: Tag,
    context: &Context,
    summary: &Summary<O>,
    runs: &[Run],
) -> Result<String, ExportError> {
    let summary = Rows {
        ttft: summary.ttft.row(),
        inter_token: summary.inter_token.row(),
        tpot: summary.tpot.row(),
        end_to_end: summary.end_to_end.row(),
    };
    serde_json::to_string(&Written { schema: SCHEMA, origin, context, summary, runs }).map_err(format)
}

pub(super) fn read(text: &str) -> Result<(Tag, Context, Vec<Run>), ExportError> {
    let version: Version = serde_json::from_str(text).map_err(format)?;
    schema(&version.schema.unwrap_or_default())?;
    let read: Read = serde_json::from_str(text).map_err(format)?;
    Ok((read.origin, read.context, read.runs))
}

fn format(error: serde_json::Error) -> ExportError {
    let said = error.to_string();
    let cause = said.split(" at line ").next().unwrap_or_default().to_owned();
    ExportError::Format { line: error.line() as u64, cause }
}
