//! Writing to people, and to programs that may stop reading.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use anyhow::Result;

/// Prints a line. Where `println!` would panic because nobody reads any more, this is an error.
pub(crate) fn line(text: impl std::fmt::Display) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// Says something beside the result, on standard error; whether anybody reads it does not matter.
pub(crate) fn note(text: impl std::fmt::Display) {
    let _ = std::io::stderr().lock().write_fmt(format_args!("{text}"));
}

/// Prints a piece of a model's text at once: to a terminal without what it would obey, elsewhere as it is.
pub(crate) fn piece(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let shown = if out.is_terminal() { plain(text) } else { text.into() };
    out.write_all(shown.as_bytes())?;
    Ok(out.flush()?)
}

/// Text from a file or a model without what a terminal would obey: control characters other than line ends and
/// tabs become `\u{fffd}`.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(obeyed) { text.replace(obeyed, "\u{fffd}").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_terminal_obeys_nothing_in_a_models_text() {
        assert_eq!(plain("two\nlines\tand 😀"), "two\nlines\tand 😀");
        assert_eq!(plain("\u{1b}]0;title\u{7}\u{9b}31m"), "\u{fffd}]0;title\u{fffd}\u{fffd}31m");
    }
}
