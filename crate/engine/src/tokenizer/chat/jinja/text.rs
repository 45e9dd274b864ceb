//! Text that is paid for as it is written, and Python's idea of white space.

use super::budget::Budget;
use super::fault::Result;

/// Text under way; every byte is paid for.
pub(super) struct Text<'b> {
    out: String,
    budget: &'b Budget,
}

impl<'b> Text<'b> {
    pub(super) fn new(budget: &'b Budget) -> Self {
        Self { out: String::new(), budget }
    }

    pub(super) fn push(&mut self, text: &str) -> Result<()> {
        self.budget.spend(text.len() as u64)?;
        self.out.push_str(text);
        Ok(())
    }

    pub(super) fn push_char(&mut self, c: char) -> Result<()> {
        self.push(c.encode_utf8(&mut [0; 4]))
    }

    /// `count` times the same.
    pub(super) fn repeat(&mut self, text: &str, count: usize) -> Result<()> {
        self.budget.spend((text.len() as u64).saturating_mul(count as u64))?;
        (0..count).for_each(|_| self.out.push_str(text));
        Ok(())
    }

    pub(super) fn budget(&self) -> &'b Budget {
        self.budget
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// Whether Python's `str.isspace` says so: Unicode's white space and four control characters.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// A float as Python writes it.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let written = format!("{value:e}");
        let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    format!("{value:?}")
}
