//! "Your numbers": percentiles as typed, or fitted to a visitor's own samples.

use latency::cloud::{Percentiles, Published};
use latency::fit::{self, Fitted};
use latency::pasted;

use crate::shared::format;

/// Texts of the fields, in the order of [`FIELDS`].
pub type Texts = [String; 5];

/// Names of the fields: time to first token, then time between tokens; all in ms.
pub const FIELDS: [(&str, &str); 5] = [
    ("p50", "First token P50, ms"),
    ("p90", "First token P90, ms, or empty"),
    ("p99", "First token P99, ms"),
    ("gap-p50", "Between tokens P50, ms"),
    ("gap-p99", "Between tokens P99, ms"),
];

/// A fit to samples, and what it put into the fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The distribution and its goodness.
    pub fitted: Fitted,
    /// Texts that it put into the first three fields; it counts while they are unchanged.
    pub filled: [String; 3],
}

impl Fit {
    /// Reads samples from CSV or JSON and fits them.
    ///
    /// # Errors
    /// A sentence: what is wrong with the text, where, or why there is no fit.
    pub fn read(text: &str) -> Result<Self, String> {
        let samples = pasted::read(text).map_err(|error| format!("Your samples: {error}."))?;
        let fitted = fit::fit(&samples).map_err(|error| format!("Your samples: {error}."))?;
        let Percentiles { p50, p90, p99 } = Percentiles::of(&fitted.time);
        let shown = |ms: f64| format::plain((ms * 100.0).round() / 100.0);
        Ok(Self { fitted, filled: [shown(p50), p90.map(shown).unwrap_or_default(), shown(p99)] })
    }

    /// How well it fits, with what must be read beside it.
    pub fn words(&self) -> String {
        let Fitted { time, count, ks, critical } = self.fitted;
        let verdict =
            if self.fitted.plausible() { "below it: plausible" } else { "not below it: a poor fit" };
        format!(
            "A shifted lognormal through {} samples: floor {}, μ {}, σ {}. Kolmogorov and Smirnov’s distance is {}, \
             the 5 % critical value {}; it lies {verdict}. {}",
            format::count(count as f64),
            format::ms(time.floor),
            format::decimal(time.mu, 2),
            format::decimal(time.sigma, 2),
            format::decimal(ks, 3),
            format::decimal(critical, 3),
            fit::CAVEAT,
        )
    }
}

/// Texts that the fields start with: the gaps of the default preset, and no time to the first token.
pub fn blank(gap: Percentiles) -> Texts {
    let [p50, p90, p99] = [(); 3].map(|()| String::new());
    [p50, p90, p99, format::plain(gap.p50), format::plain(gap.p99)]
}

/// The fit, if the fields still say what it put there.
pub fn standing<'a>(texts: &Texts, fit: Option<&'a Fit>) -> Option<&'a Fit> {
    fit.filter(|fit| fit.filled[..] == texts[..3])
}

/// The cloud that the fields describe. `today`: `YYYY-MM-DD`.
///
/// # Errors
/// A sentence that names the field.
pub fn read(texts: &Texts, fit: Option<&Fit>, today: &str) -> Result<Published, String> {
    let field = |at: usize| {
        let label = FIELDS[at].1;
        let text = texts[at].trim();
        let number = text.parse::<f64>().ok().filter(|ms| *ms > 0.0 && *ms <= pasted::LONGEST_MS);
        number.ok_or_else(|| format!("Your numbers: {label}: enter a number above 0, up to 3600000."))
    };
    let gap = Percentiles { p50: field(3)?, p90: None, p99: field(4)? };
    let (first, source) = match standing(texts, fit) {
        Some(fit) => (Percentiles::of(&fit.fitted.time), format!("your {} samples", fit.fitted.count)),
        None => {
            let p90 = if texts[1].trim().is_empty() { None } else { Some(field(1)?) };
            (Percentiles { p50: field(0)?, p90, p99: field(2)? }, "percentiles that you typed".to_owned())
        }
    };
    let source = format!("Times to the first token: {source}; times between tokens: as in the fields.");
    Ok(Published::yours(source, today.to_owned(), first, gap))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::model::service::Service;

    const GAP: Percentiles = Percentiles { p50: 3.65, p90: None, p99: 14.6 };

    fn texts(first: [&str; 3]) -> Texts {
        let mut texts = blank(GAP);
        texts[..3].clone_from_slice(&first.map(str::to_owned));
        texts
    }

    /// 150 times that spread as a lognormal above 100 ms does, as CSV.
    fn csv() -> String {
        let time =
            |n: u32| 100.0 + 200.0 * (f64::from(n) / 30.0).sin().abs().powi(3) + 40.0 + f64::from(n % 7);
        let rows: Vec<String> = (1..=150).map(|n| format!("{n},{:.1}", time(n))).collect();
        format!("run,ttft_ms\n{}\n", rows.join("\n"))
    }

    #[test]
    fn typed_percentiles_make_a_cloud() {
        let yours = read(&texts(["204", "281", "456"]), None, "2026-11-25").unwrap();
        assert_eq!((yours.first_token.p90, yours.inter_token), (Some(281.0), GAP));
        assert_eq!((yours.id.as_str(), yours.retrieved.as_str()), ("yours", "2026-11-25"));
        assert!(Service::Whole(yours).simulator().is_ok());
        assert_eq!(read(&texts(["204", " ", "456"]), None, "").unwrap().first_token.p90, None);
    }

    #[test]
    fn what_is_no_time_is_named() {
        let problem = read(&texts(["", "", "456"]), None, "").unwrap_err();
        assert!(problem.contains("P50"), "{problem}");
        let problem = read(&texts(["100", "often", "456"]), None, "").unwrap_err();
        assert!(problem.contains("P90"), "{problem}");
        let falling = Service::Whole(read(&texts(["500", "", "456"]), None, "").unwrap());
        let problem = falling.simulator().err().unwrap();
        assert!(problem.contains("must rise"), "{problem}");
    }

    #[test]
    fn samples_fill_the_fields_and_count_until_they_are_changed() {
        let fit = Fit::read(&csv()).unwrap();
        assert_eq!(fit.fitted.count, 150);
        let mut filled = texts(["", "", ""]);
        filled[..3].clone_from_slice(&fit.filled);
        let source = |texts: &Texts| read(texts, Some(&fit), "").unwrap().sources.remove(0);
        assert!(source(&filled).contains("150 samples"));
        assert!(fit.words().contains("critical value") && fit.words().contains(fit::CAVEAT));
        filled[0] = "200".into();
        assert!(standing(&filled, Some(&fit)).is_none());
        assert!(source(&filled).contains("typed"));
    }

    #[test]
    fn samples_that_cannot_be_read_are_named_with_their_line() {
        let problem = Fit::read("ttft_ms\n120\nsoon\n").unwrap_err();
        assert!(problem.contains("line 3") && problem.contains("soon"), "{problem}");
        assert!(Fit::read("[1, 2, 3]").unwrap_err().contains("a fit needs 20"));
    }
}
