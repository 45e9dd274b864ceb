//! Raw samples as a file, written and read.

use super::error::{ExportError, MOST_BYTES};
use super::run::{Context, Run, Tag};
use super::{csv, json, limits};
use crate::samples::stats::{Measured, Origin, Simulated, Summary};

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
        limits::check(&self.context, &self.runs)?;
        json::write(Tag::from(&self.origin), &self.context, &self.summary(), &self.runs)
    }

    /// As CSV, a line a token, every line complete in itself.
    ///
    /// # Errors
    /// A value that could not be read back.
    pub fn to_csv(&self) -> Result<String, ExportError> {
        limits::check(&self.context, &self.runs)?;
        csv::write(&Tag::from(&self.origin), &self.context, &self.runs)
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
            if text.trim_start().starts_with('{') { json::read(text)? } else { csv::read(text)? };
        limits::check(&context, &runs)?;
        Ok(match origin {
            Tag::Measured {} => Self::Measured(Export { origin: Measured, context, runs }),
            Tag::Simulated { preset, seed } => {
                Self::Simulated(Export { origin: Simulated { preset, seed }, context, runs })
            }
        })
    }
}
