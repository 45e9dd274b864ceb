//! How the next token is chosen: the fields a visitor can change, their ranges, and what is typed in them.

use protocol::Sampling;

/// One number of the sampling form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Name in code and in `data-testid`.
    pub key: &'static str,
    /// Label on the page.
    pub label: &'static str,
    /// Its effect, in half a sentence.
    pub hint: &'static str,
    /// Smallest allowed value.
    pub min: f64,
    /// Largest allowed value.
    pub max: f64,
    /// Step of the arrow keys.
    pub step: f64,
    /// Whether only whole numbers make sense.
    pub whole: bool,
    /// Whether exactly `min` is allowed (top-p must be above 0).
    pub from_min: bool,
    /// Whether exactly `max` is allowed (min-p must stay below 1).
    pub to_max: bool,
}

const fn field(key: &'static str, label: &'static str, hint: &'static str, range: (f64, f64, f64)) -> Field {
    Field {
        key,
        label,
        hint,
        min: range.0,
        max: range.1,
        step: range.2,
        whole: range.2 >= 1.0,
        from_min: true,
        to_max: true,
    }
}

/// Positions in [`FIELDS`] and in what [`parse`] takes.
pub const TEMPERATURE: usize = 0;
/// See [`TEMPERATURE`].
pub const TOP_K: usize = 1;
/// See [`TEMPERATURE`].
pub const TOP_P: usize = 2;
/// See [`TEMPERATURE`].
pub const MIN_P: usize = 3;
/// See [`TEMPERATURE`].
pub const REPETITION: usize = 4;
/// See [`TEMPERATURE`].
pub const MAX_TOKENS: usize = 5;
/// See [`TEMPERATURE`].
pub const SEED: usize = 6;

/// Every field, in the order it is shown. The seed is last and is read as a 64-bit whole number.
pub const FIELDS: [Field; 7] = [
    field("temperature", "Temperature", "0 always takes the likeliest token", (0.0, 5.0, 0.1)),
    field("top-k", "Top-k", "keep this many candidates; 0 keeps all", (0.0, 1_000.0, 1.0)),
    Field {
        from_min: false,
        ..field("top-p", "Top-p", "keep this share of probability; 1 keeps all", (0.0, 1.0, 0.05))
    },
    Field {
        to_max: false,
        ..field("min-p", "Min-p", "drop candidates below this share of the best", (0.0, 1.0, 0.01))
    },
    field("repetition-penalty", "Repetition penalty", "1 does nothing", (0.5, 2.0, 0.05)),
    field("max-tokens", "Longest answer (tokens)", "the answer is cut off here", (1.0, 8_192.0, 1.0)),
    field("seed", "Seed", "same seed, prompt and settings: same text", (0.0, u64::MAX as f64, 1.0)),
];

/// The visitor's entries, one text a field, in the order of [`FIELDS`].
pub type Texts = [String; FIELDS.len()];

/// The settings a task starts with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Defaults {
    /// See [`Sampling::temperature`].
    pub temperature: f64,
    /// See [`Sampling::top_k`].
    pub top_k: u32,
    /// See [`Sampling::top_p`].
    pub top_p: f64,
    /// See [`Sampling::repetition_penalty`].
    pub repetition_penalty: f64,
    /// Most tokens to answer with.
    pub max_tokens: u32,
}

impl Defaults {
    /// The texts a form shows for them.
    pub fn texts(&self) -> Texts {
        [
            crate::shared::format::plain(self.temperature),
            self.top_k.to_string(),
            crate::shared::format::plain(self.top_p),
            "0".to_owned(),
            crate::shared::format::plain(self.repetition_penalty),
            self.max_tokens.to_string(),
            "42".to_owned(),
        ]
    }
}

impl Field {
    /// The allowed range in words, e.g. `0 to 5`, `above 0, up to 1`.
    pub fn range(&self) -> String {
        let min = crate::shared::format::plain(self.min);
        let max = crate::shared::format::plain(self.max);
        match (self.key, self.from_min, self.to_max) {
            ("seed", ..) => format!("0 to {}", u64::MAX),
            (_, false, _) => format!("above {min}, up to {max}"),
            (_, _, false) => format!("{min} to below {max}"),
            _ => format!("{min} to {max}"),
        }
    }

    /// Reads a typed value.
    ///
    /// # Errors
    /// A sentence that names the field, what was typed and the range.
    pub fn read(&self, text: &str) -> Result<f64, String> {
        let typed = text.trim();
        let value: f64 = typed.parse().map_err(|_| self.refuse(typed, "is not a number"))?;
        let fits = value.is_finite()
            && (value > self.min || (self.from_min && value == self.min))
            && (value < self.max || (self.to_max && value == self.max));
        match () {
            () if !fits => Err(self.refuse(typed, "is outside the range")),
            () if self.whole && value.fract() != 0.0 => Err(self.refuse(typed, "is not a whole number")),
            () => Ok(value),
        }
    }

    fn refuse(&self, typed: &str, why: &str) -> String {
        let shown: String = typed.chars().take(24).collect();
        let what = if typed.is_empty() { "is empty".to_owned() } else { format!("“{shown}” {why}") };
        format!("{}: {what}. Enter {}.", self.label, self.range())
    }
}

/// Reads the whole form: the sampling and the token budget.
///
/// # Errors
/// Every problem at once, each as (position in [`FIELDS`], sentence).
pub fn parse(texts: &Texts) -> Result<(Sampling, u32), Vec<(usize, String)>> {
    let mut problems = Vec::new();
    let mut values = [0.0; FIELDS.len()];
    for (i, field) in FIELDS.iter().enumerate().filter(|(i, _)| *i != SEED) {
        match field.read(&texts[i]) {
            Ok(value) => values[i] = value,
            Err(problem) => problems.push((i, problem)),
        }
    }
    let seed = read_seed(&texts[SEED]).unwrap_or_else(|problem| {
        problems.push((SEED, problem));
        0
    });
    if !problems.is_empty() {
        return Err(problems);
    }
    let sampling = Sampling {
        temperature: values[TEMPERATURE] as f32,
        top_k: values[TOP_K] as usize,
        top_p: values[TOP_P] as f32,
        min_p: values[MIN_P] as f32,
        repetition_penalty: values[REPETITION] as f32,
        seed,
    };
    Ok((sampling, values[MAX_TOKENS] as u32))
}

/// Reads a 64-bit seed; an `f64` on the way would quietly change the large ones.
///
/// # Errors
/// A sentence that names what was typed and the range.
pub fn read_seed(text: &str) -> Result<u64, String> {
    let typed = text.trim();
    typed.parse().map_err(|_| FIELDS[SEED].refuse(typed, "is not a whole number in the range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Defaults =
        Defaults { temperature: 0.2, top_k: 40, top_p: 0.9, repetition_penalty: 1.1, max_tokens: 200 };

    #[test]
    fn defaults_are_valid() {
        let (sampling, budget) = parse(&PLAIN.texts()).unwrap();
        assert_eq!(sampling.temperature, 0.2);
        assert_eq!(sampling.top_k, 40);
        assert_eq!(sampling.seed, 42);
        assert_eq!(budget, 200);
    }

    #[test]
    fn open_ends_are_refused() {
        assert!(FIELDS[TOP_P].read("0").is_err());
        assert!(FIELDS[TOP_P].read("1").is_ok());
        assert!(FIELDS[MIN_P].read("0").is_ok());
        assert!(FIELDS[MIN_P].read("1").is_err());
    }

    #[test]
    fn nonsense_is_refused_with_a_sentence() {
        for typed in ["", "warm", "NaN", "inf", "-1", "6", "1e99"] {
            let problem = FIELDS[TEMPERATURE].read(typed).unwrap_err();
            assert!(problem.contains("0 to 5"), "{problem}");
        }
        assert!(FIELDS[MAX_TOKENS].read("1.5").unwrap_err().contains("whole"));
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let mut texts = PLAIN.texts();
        texts[TEMPERATURE] = "hot".into();
        texts[SEED] = "-3".into();
        let problems = parse(&texts).unwrap_err();
        assert_eq!(problems.iter().map(|p| p.0).collect::<Vec<_>>(), [TEMPERATURE, SEED]);
    }

    #[test]
    fn a_large_seed_is_exact() {
        assert_eq!(read_seed("18446744073709551615"), Ok(u64::MAX));
        assert!(read_seed("18446744073709551616").is_err());
    }
}
