//! Figures as people read them. Values are rounded once, here, and nowhere before.

use crate::units::Usd;

/// Whole dollars from one hundred up, cents below, small prices with up to six decimals: `$54,000`, `$3.50`.
/// Less than half a millionth of a dollar is `$0`.
pub fn usd(value: Usd) -> String {
    let size = value.0.abs();
    let digits = match size {
        s if s >= 100.0 => count(s),
        s if s >= 0.01 => format!("{s:.2}"),
        s => format!("{s:.6}").trim_end_matches('0').trim_end_matches('.').to_owned(),
    };
    let sign = if value.0 < 0.0 && digits != "0" { "−" } else { "" };
    format!("{sign}${digits}")
}

/// A whole number with thousands separators: `1,274,074`.
pub fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::from(if value <= -0.5 { "−" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share as per cent with one decimal: `36.3 %`.
pub fn share(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_rounded_once() {
        assert_eq!(count(1_274_074.07), "1,274,074");
        assert_eq!(count(999.5), "1,000");
        assert_eq!(count(-1234.0), "−1,234");
        assert_eq!(usd(Usd(54_000.0)), "$54,000");
        assert_eq!(usd(Usd(-12_400.0)), "−$12,400");
        assert_eq!(usd(Usd(0.000_75)), "$0.00075");
        assert_eq!(usd(Usd(3.5)), "$3.50");
        assert_eq!(usd(Usd(0.0)), "$0");
        assert_eq!(usd(Usd(-4e-13)), "$0", "rounding noise is not a price");
        assert_eq!(usd(Usd(6e-7)), "$0.000001");
        assert_eq!(share(0.362_96), "36.3 %");
    }
}
