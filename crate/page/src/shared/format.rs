//! Numbers as the page shows them: one place, so that a figure reads the same wherever it stands.
//!
//! Sizes are decimal (1 MB = 1,000,000 bytes), as browsers show downloads. A value that is not finite
//! reads as an en dash: nothing on the page ever says `NaN`.

/// The sign for a value that is missing.
pub const NONE: &str = "–";

/// 1234567 → `1,234,567`. Rounds to the nearest whole number.
pub fn count(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    grouped(&format!("{:.0}", value.abs()), value < 0.0 && value.round() != 0.0)
}

/// `value` with thousands separators and exactly `decimals` digits after the point.
pub fn decimal(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && text.bytes().any(|b| b.is_ascii_digit() && b != b'0');
    grouped(&text, negative)
}

/// Puts separators into the whole part of an unsigned decimal text.
fn grouped(text: &str, negative: bool) -> String {
    let (whole, rest) = text.split_once('.').map_or((text, None), |(w, r)| (w, Some(r)));
    let mut out = String::from(if negative { "−" } else { "" });
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(rest) = rest {
        out.push('.');
        out.push_str(rest);
    }
    out
}

/// 98362432 → `98 MB`; one decimal below ten units, none above.
pub fn bytes(value: f64) -> String {
    if !value.is_finite() || value < 0.0 {
        return NONE.to_owned();
    }
    let (scaled, unit) = match value {
        v if v < 1e3 => return format!("{v:.0} B"),
        v if v < 1e6 => (v / 1e3, "kB"),
        v if v < 1e9 => (v / 1e6, "MB"),
        v if v < 1e12 => (v / 1e9, "GB"),
        v => (v / 1e12, "TB"),
    };
    format!("{} {unit}", decimal(scaled, usize::from(scaled < 9.95)))
}

/// A span of time in ms, the unit chosen by size: `4.2 ms`, `612 ms`, `12.3 s`.
pub fn ms(value: f64) -> String {
    match value {
        v if !v.is_finite() => NONE.to_owned(),
        v if v > 0.0 && v < 0.05 => "under 0.1 ms".to_owned(),
        v if v.abs() < 9.95 => format!("{} ms", decimal(v, 1)),
        v if v.abs() < 9_999.5 => format!("{} ms", count(v)),
        v => format!("{} s", decimal(v / 1e3, 1)),
    }
}

/// A time still to wait, in words short enough to stand beside a progress bar.
pub fn left(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() || s < 0.0 => "time left unknown".to_owned(),
        s if s < 1.0 => "under 1 s left".to_owned(),
        s if s < 99.5 => format!("{s:.0} s left"),
        s if s < 3_570.0 => format!("{:.0} min left", s / 60.0),
        s => format!("{} h left", decimal(s / 3_600.0, 1)),
    }
}

/// A number to put into a form field: plain digits, no separators, no exponent, no trailing zeros.
pub fn plain(value: f64) -> String {
    let text = format!("{value:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// 1 token, 2 tokens.
pub fn counted(value: u32, one: &str, many: &str) -> String {
    format!("{} {}", count(f64::from(value)), if value == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators() {
        assert_eq!(count(0.0), "0");
        assert_eq!(count(999.4), "999");
        assert_eq!(count(1_274_074.07), "1,274,074");
        assert_eq!(count(-12_400.0), "−12,400");
        assert_eq!(count(f64::NAN), NONE);
        assert_eq!(decimal(-0.004, 2), "0.00");
        assert_eq!(decimal(1_234.567_8, 2), "1,234.57");
    }

    #[test]
    fn sizes_choose_a_unit() {
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(999.0), "999 B");
        assert_eq!(bytes(1_500.0), "1.5 kB");
        assert_eq!(bytes(98_362_432.0), "98 MB");
        assert_eq!(bytes(7.4e9), "7.4 GB");
        assert_eq!(bytes(f64::INFINITY), NONE);
    }

    #[test]
    fn times_choose_a_unit() {
        assert_eq!(ms(4.24), "4.2 ms");
        assert_eq!(ms(0.02), "under 0.1 ms");
        assert_eq!(ms(612.4), "612 ms");
        assert_eq!(ms(1_234.0), "1,234 ms");
        assert_eq!(ms(12_340.0), "12.3 s");
        assert_eq!(left(0.2), "under 1 s left");
        assert_eq!(left(12.4), "12 s left");
        assert_eq!(left(130.0), "2 min left");
        assert_eq!(left(7_200.0), "2.0 h left");
        assert_eq!(left(f64::NAN), "time left unknown");
    }

    #[test]
    fn form_fields_take_plain_digits() {
        assert_eq!(plain(0.00075), "0.00075");
        assert_eq!(plain(2_000_000.0), "2000000");
        assert_eq!(plain(0.0), "0");
    }

    #[test]
    fn plurals() {
        assert_eq!(counted(1, "token", "tokens"), "1 token");
        assert_eq!(counted(2_048, "token", "tokens"), "2,048 tokens");
    }
}
