//! Cells of a spreadsheet that come from people, files and models: a program that opens the table must take each as
//! a number or as text, never as a formula to run.

use std::borrow::Cow;

/// The first character of a formula, its full-width forms included, and those that parts of an import may cut off
/// before it.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'];

/// A cell that no spreadsheet runs: text that begins like a formula gets an apostrophe in front, also behind blanks,
/// control characters and quotation marks, which an import may cut off. So does text that begins with an apostrophe,
/// so that [`plain`] is the way back. Numbers stay as they are, `-12000`, `+1e5`, `-$1,200.50` and `-3.5 %` among
/// them.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    let opens = |text: &str| text.starts_with(FORMULA);
    let cut =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\u{feff}' | '\u{200b}');
    let formula = opens(cell) || opens(cell.trim_start_matches(cut)) || cell.starts_with('\'');
    if formula && !is_number(cell) { format!("'{cell}").into() } else { cell.into() }
}

/// The text that [`guarded`] made a cell of.
pub fn plain(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// A number as programs and people write it: a sign, a dollar sign, digits in groups, an exponent, and words or a per
/// cent sign as its unit.
fn is_number(cell: &str) -> bool {
    let amount = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let amount = amount.strip_prefix('$').unwrap_or(amount);
    let end = amount.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','))).unwrap_or(amount.len());
    let (digits, unit) = amount.split_at(end);
    let named = unit.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '%'));
    digits.starts_with(|c: char| c.is_ascii_digit()) && (named || cell.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_comes_back() {
        for formula in [
            "=1+1",
            "+cmd",
            "-cmd",
            "@SUM(A1)",
            "-",
            "+",
            "=",
            "\t=1",
            "\r=1",
            "\n=1",
            "\tx",
            "\nx",
            " =1",
            "  @x",
            "\u{a0}=1",
            "\u{feff}=1",
            "\u{200b}-x",
            "\0=1",
            "＝1",
            "＋1",
            "－1",
            "＠x",
            " ＝1",
            "\"=1\"",
            "'=1",
            "'",
            "'x",
            "\" '=1",
            "-1+cmd|'/c calc'!A0",
            "-1-1",
            "+1*A1",
            "-A1",
            "--1",
            "+-1",
            "-(1)",
            "-1 %+A1",
            "-$A$1",
            "-1,2;A1",
            "-1 ms!A1",
            " -5",
            "+inf",
            "-NaN",
            "-.5",
        ] {
            let cell = guarded(formula);
            assert_eq!(cell, format!("'{formula}"));
            assert_eq!(plain(&cell), formula);
        }
    }

    #[test]
    fn numbers_and_text_stay_as_they_are() {
        for cell in [
            "-12000",
            "+1",
            "1e-5",
            "-1e-5",
            "+2.5E+3",
            "-0.5",
            "-$1,200",
            "+$4",
            "-$0.50",
            "-3.5 %",
            "-3.5%",
            "-12 ms",
            "+4 GB",
            "-5 % a month",
            "Hardware",
            "",
            "19",
            "$28,500",
            "a=b",
            "Intel(R) Xeon, 2 = two",
            "tokens/s",
            "×3",
            "\"quoted\"",
        ] {
            assert_eq!(guarded(cell), cell);
            assert_eq!(plain(&guarded(cell)), cell);
        }
    }
}
