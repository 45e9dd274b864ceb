//! A cloud described by figures: what a preset's file holds, and what its figures may be.

use figures::Figure;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::loss::Loss;
use crate::lognormal::{FitError, Lognormal};
use crate::random::Random;
use crate::units::Ms;

/// Why a preset describes no cloud.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum PresetError {
    /// A figure is out of its range.
    #[error("{field} is {value}; it must be {range}")]
    Value {
        /// Which figure.
        field: &'static str,
        /// The value given.
        value: f64,
        /// The range allowed.
        range: &'static str,
    },
    /// Percentiles describe no distribution.
    #[error("{field}: {source}")]
    Fit {
        /// Which percentiles.
        field: &'static str,
        /// Why.
        source: FitError,
    },
}

/// Percentiles of a time, ms, as published or assumed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 90th; left out, the distribution has no floor.
    pub p90: Option<f64>,
    /// 99th.
    pub p99: f64,
}

impl Percentiles {
    /// Those of a distribution, which they describe in full.
    pub fn of(time: &Lognormal) -> Self {
        let at = |p| time.quantile(p).0;
        // Without a floor, a third percentile would only add rounding.
        Self { p50: at(0.5), p90: (time.floor > 0.0).then(|| at(0.9)), p99: at(0.99) }
    }

    /// The lognormal through them; `field` names them in the error.
    pub(crate) fn fit(&self, field: &'static str) -> Result<Lognormal, PresetError> {
        let fitted = match self.p90 {
            Some(p90) => Lognormal::from_p50_p90_p99(Ms(self.p50), Ms(p90), Ms(self.p99)),
            None => Lognormal::from_p50_p99(Ms(self.p50), Ms(self.p99), Ms(0.0)),
        };
        fitted.map_err(|source| PresetError::Fit { field, source })
    }
}

/// A cloud, as dated data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Short name, in addresses and exports.
    pub id: String,
    /// Name on the page.
    pub label: String,
    /// Where the figures come from, one sentence each.
    pub sources: Vec<String>,
    /// When they were looked up, `YYYY-MM-DD`.
    pub retrieved: String,
    /// Looking up the server's name, ms.
    pub dns_ms: f64,
    /// Round trip between visitor and server, ms.
    pub rtt_ms: f64,
    /// Upload bandwidth, Mbit/s.
    pub up_mbit: f64,
    /// Download bandwidth, Mbit/s.
    pub down_mbit: f64,
    /// Server's queue and prefill for a short prompt, network excluded.
    pub first_token: Percentiles,
    /// Time that a prompt token adds to it, ms.
    pub prefill_ms_per_token: f64,
    /// Chance that the model has to be started first, and how long that takes.
    pub cold_start: Option<Rare>,
    /// Chance of a timeout or a retry, and how long it takes.
    #[serde(default)]
    pub outlier: Option<Rare>,
    /// Time between two tokens at the server.
    pub inter_token: Percentiles,
    /// Extra delay of a token on its way.
    pub jitter: Percentiles,
    /// Bytes of a token's event on the wire.
    pub bytes_per_token: f64,
    /// Loss on the way; a loss delays, it never drops a token.
    pub loss: Loss,
    /// Each figure with unit, range, source and date; empty for a visitor's own numbers.
    #[serde(default)]
    pub figures: Vec<Figure>,
}

/// A delay that few requests meet: a server that has to start, a timeout and its retry.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rare {
    /// Chance, [0, 1].
    pub probability: f64,
    /// How long it takes.
    pub time: Percentiles,
}

/// A rare delay with its distribution fitted.
pub(crate) struct RareTime {
    probability: f64,
    pub(crate) time: Lognormal,
}

impl RareTime {
    /// # Errors
    /// The chance is none, or the percentiles describe no distribution.
    pub(crate) fn new(field: &'static str, rare: Option<Rare>) -> Result<Option<Self>, PresetError> {
        let Some(Rare { probability, time }) = rare else { return Ok(None) };
        if !(0.0..=1.0).contains(&probability) {
            return Err(PresetError::Value { field, value: probability, range: "a chance between 0 and 1" });
        }
        Ok(Some(Self { probability, time: time.fit(field)? }))
    }

    /// ms; 0 for most requests.
    pub(crate) fn draw(&self, random: &mut Random) -> f64 {
        if random.uniform() < self.probability { self.time.draw(random) } else { 0.0 }
    }
}

impl Preset {
    /// # Errors
    /// The first figure out of its range. Percentiles are checked when they are fitted.
    pub(crate) fn check(&self) -> Result<(), PresetError> {
        let time = |v: f64| v.is_finite() && v >= 0.0;
        let rate = |v: f64| v.is_finite() && v > 0.0;
        let chance = |v: f64| (0.0..=1.0).contains(&v);
        // A link that never recovers would hold every later token up.
        let recovery = |v: f64| v > 0.0 && v <= 1.0;
        let checks = [
            ("dns_ms", self.dns_ms, time(self.dns_ms), "0 ms or more"),
            ("rtt_ms", self.rtt_ms, time(self.rtt_ms), "0 ms or more"),
            ("up_mbit", self.up_mbit, rate(self.up_mbit), "above 0 Mbit/s"),
            ("down_mbit", self.down_mbit, rate(self.down_mbit), "above 0 Mbit/s"),
            (
                "prefill_ms_per_token",
                self.prefill_ms_per_token,
                time(self.prefill_ms_per_token),
                "0 ms or more",
            ),
            ("bytes_per_token", self.bytes_per_token, time(self.bytes_per_token), "0 bytes or more"),
            ("loss.turn_bad", self.loss.turn_bad, chance(self.loss.turn_bad), "between 0 and 1"),
            ("loss.turn_good", self.loss.turn_good, recovery(self.loss.turn_good), "above 0 and at most 1"),
            ("loss.recovery_ms", self.loss.recovery_ms, time(self.loss.recovery_ms), "0 ms or more"),
        ];
        let bad = checks.into_iter().find(|(_, _, ok, _)| !ok);
        bad.map_or(Ok(()), |(field, value, _, range)| Err(PresetError::Value { field, value, range }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Cloud;
    use crate::presets;

    /// The error of the first preset after a change.
    fn refusal(change: fn(&mut Preset)) -> String {
        let mut preset = presets::all().remove(0);
        change(&mut preset);
        Cloud::new(&preset).err().expect("it must be refused").to_string()
    }

    #[test]
    fn figures_out_of_range_are_named() {
        assert_eq!(refusal(|p| p.up_mbit = 0.0), "up_mbit is 0; it must be above 0 Mbit/s");
        assert!(refusal(|p| p.rtt_ms = f64::NAN).starts_with("rtt_ms is NaN"));
        assert!(refusal(|p| p.loss.turn_bad = 1.5).starts_with("loss.turn_bad is 1.5"));
        assert!(refusal(|p| p.loss.turn_good = 0.0).starts_with("loss.turn_good is 0"));
        let time = Percentiles { p50: 1600.0, p90: None, p99: 16_500.0 };
        assert_eq!(presets::all()[0].cold_start, None);
        let mut preset = presets::all().remove(0);
        preset.cold_start = Some(Rare { probability: -0.1, time });
        assert!(Cloud::new(&preset).is_err());
    }

    #[test]
    fn percentiles_that_describe_nothing_are_named() {
        assert_eq!(
            refusal(|p| p.jitter.p99 = 0.1),
            "jitter: P50 1, P90 1, P99 0.1 ms must rise from one to the next"
        );
    }
}
