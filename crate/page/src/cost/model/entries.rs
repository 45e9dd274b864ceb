//! Entries of the cost form, and the scenario they describe.

use economics::{CHOICES, FIELDS, Field, Scenario};

use crate::shared::format;

/// Entries of the form: a text for each of [`FIELDS`], a chosen option for each of [`CHOICES`].
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    /// Numbers as typed.
    pub texts: Vec<String>,
    /// Options by index.
    pub chosen: Vec<usize>,
}

/// A problem of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its place in [`FIELDS`].
    pub field: usize,
    /// The problem and the allowed range.
    pub sentence: String,
}

impl Entries {
    /// The entries that say a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        Self {
            texts: FIELDS.iter().map(|field| entry(field, (field.get)(scenario))).collect(),
            chosen: CHOICES.iter().map(|choice| (choice.get)(scenario)).collect(),
        }
    }

    /// Reads them. An entry that the choices leave without effect is not looked at: nobody sees it.
    ///
    /// # Errors
    /// Every problem at once.
    pub fn read(&self) -> Result<Scenario, Vec<Problem>> {
        // Whether an entry counts may depend on another one, so all are read before any is judged.
        let scenario = self.readable();
        let wrong = FIELDS.iter().zip(&self.texts).enumerate().filter_map(|(at, (field, text))| {
            let sentence = read(field, text).err()?;
            (field.relevant)(&scenario).then_some(Problem { field: at, sentence })
        });
        let problems: Vec<Problem> = wrong.collect();
        if problems.is_empty() { Ok(scenario) } else { Err(problems) }
    }

    /// The article's example with these options.
    fn options(&self) -> Scenario {
        let mut scenario = Scenario::seed_example();
        for (choice, option) in CHOICES.iter().zip(&self.chosen) {
            (choice.set)(&mut scenario, *option);
        }
        scenario
    }

    /// The scenario as far as it can be read: what cannot is as in the article's example.
    pub fn readable(&self) -> Scenario {
        let mut scenario = self.options();
        for (field, text) in FIELDS.iter().zip(&self.texts) {
            if let Ok(value) = read(field, text) {
                (field.set)(&mut scenario, value);
            }
        }
        scenario
    }
}

/// Shares are entered and shown in per cent.
fn scale(field: &Field) -> f64 {
    if field.unit.starts_with("share") { 100.0 } else { 1.0 }
}

/// The unit that stands beside an entry: `share per year` is told as `% per year`.
pub fn unit(field: &Field) -> String {
    field.unit.strip_prefix("share").map_or(field.unit.to_owned(), |rest| format!("%{rest}"))
}

/// A value as the form shows it: separators from a thousand up, all digits that were entered.
pub fn entry(field: &Field, value: f64) -> String {
    let shown = twelve_digits(value * scale(field));
    if shown.abs() >= 1e3 && shown.fract() == 0.0 { format::count(shown) } else { format::plain(shown) }
}

/// A share of 0.07 is 7 %, not 7.000000000000001 %.
fn twelve_digits(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// Reads one entry.
///
/// # Errors
/// A sentence that names the entry, what is wrong and what is allowed.
fn read(field: &Field, text: &str) -> Result<f64, String> {
    let typed = text.trim();
    let shown: String = typed.chars().take(24).collect();
    let range =
        format!("Enter {} to {} ({}).", entry(field, field.min), entry(field, field.max), unit(field));
    let refuse = |what: &str| format!("{}: {what}. {range}", field.label);
    if typed.is_empty() {
        return Err(refuse("nothing is entered"));
    }
    let value = number(typed).ok_or_else(|| refuse(&format!("“{shown}” is not a number")))?;
    let value = if scale(field) == 1.0 { value } else { twelve_digits(value / scale(field)) };
    match field.check(value) {
        Ok(()) => Ok(value),
        Err(economics::InputError::NotWhole { .. }) => Err(refuse(&format!("{shown} is not a whole number"))),
        Err(_) => Err(refuse(&format!("{shown} is outside the range"))),
    }
}

/// Reads a decimal number. Commas are taken only where they separate thousands: `1,5` could mean one and a half
/// as well as fifteen, so it is refused rather than guessed.
fn number(typed: &str) -> Option<f64> {
    let bare: String = typed
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '\u{a0}' | '\u{202f}'))
        .map(|c| if c == '−' { '-' } else { c })
        .collect();
    let (whole, _) = bare.split_once('.').unwrap_or((&bare, ""));
    let groups: Vec<&str> = whole.trim_start_matches(['-', '+']).split(',').collect();
    let grouped = groups.len() == 1
        || (!groups[0].is_empty()
            && groups[0].len() <= 3
            && groups[1..].iter().all(|group| group.len() == 3));
    let digits = bare.replace(',', "");
    let plain = digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    if grouped && plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(key: &str) -> usize {
        FIELDS.iter().position(|field| field.key == key).unwrap()
    }

    #[test]
    fn the_form_shows_what_it_reads() {
        let entries = Entries::of(&Scenario::seed_example());
        assert_eq!(entries.texts[at("cloud.usd_per_request")], "0.00075");
        assert_eq!(entries.texts[at("demand.requests_per_month")], "2,000,000");
        assert_eq!(entries.texts[at("demand.new_users")], "20", "shares are per cent");
        assert_eq!(entries.read(), Ok(Scenario::seed_example()));
    }

    #[test]
    fn every_share_survives_the_form() {
        let field = &FIELDS[at("demand.new_users")];
        for thousandth in 0..=1000 {
            let share = f64::from(thousandth) / 1000.0;
            let text = entry(field, share);
            assert!(text.len() <= 5, "{text}");
            assert_eq!(read(field, &text), Ok(share), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        assert_eq!(number("2,000,000"), Some(2e6));
        assert_eq!(number("2 000 000"), Some(2e6));
        assert_eq!(number("-1,000"), Some(-1e3));
        assert_eq!(number("−5"), Some(-5.0));
        assert_eq!(number("0.00075"), Some(0.00075));
        assert_eq!(number("1e6"), Some(1e6));
        for doubtful in ["1,5", "1,50", ",5", "inf", "NaN", "2m", "1,0000", ""] {
            assert_eq!(number(doubtful), None, "{doubtful}");
        }
    }

    #[test]
    fn bad_entries_are_explained_all_at_once() {
        let mut entries = Entries::of(&Scenario::seed_example());
        entries.texts[at("cloud.usd_per_request")] = "-1".into();
        entries.texts[at("finance.horizon")] = "36.5".into();
        entries.texts[at("edge.capex")] = String::new();
        let problems = entries.read().unwrap_err();
        let keys: Vec<&str> = problems.iter().map(|p| FIELDS[p.field].key).collect();
        assert_eq!(keys.len(), 3, "{keys:?}");
        assert!(problems.iter().any(|p| p.sentence.contains("Enter 0 to 1 ")), "{problems:?}");
    }

    #[test]
    fn an_entry_that_nobody_sees_is_not_in_the_way() {
        let mut entries = Entries::of(&Scenario::seed_example());
        entries.texts[at("cloud.usd_per_million_input")] = "rubbish".into();
        assert!(entries.read().is_ok(), "the cloud charges per request here");
        let pricing = CHOICES.iter().position(|choice| choice.key == "cloud.price").unwrap();
        entries.chosen[pricing] = 1;
        assert_eq!(entries.read().unwrap_err().len(), 1);
    }
}
