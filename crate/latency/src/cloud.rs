//! The simulated cloud: one request on a virtual clock, stage by stage, token by token.
//!
//! Presets are *decomposed*: server times exclude the network, which is added from the round-trip time.
//! Published end-to-end percentiles already include it, and have no place in this type.

use serde::{Deserialize, Serialize};

use crate::fit::{FitError, Lognormal};
pub use crate::gilbert::Loss;
use crate::random::Random;
use crate::units::Ms;

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
    /// The lognormal through them.
    ///
    /// # Errors
    /// See [`FitError`].
    pub fn fit(&self) -> Result<Lognormal, FitError> {
        match self.p90 {
            Some(p90) => Lognormal::from_p50_p90_p99(Ms(self.p50), Ms(p90), Ms(self.p99)),
            None => Lognormal::from_p50_p99(Ms(self.p50), Ms(self.p99), Ms(0.0)),
        }
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
    /// What a prompt token adds to it, ms.
    pub prefill_ms_per_token: f64,
    /// Chance that the model has to be started first, and how long that takes.
    pub cold_start: Option<ColdStart>,
    /// Time between two tokens at the server.
    pub inter_token: Percentiles,
    /// Extra delay of a token on its way.
    pub jitter: Percentiles,
    /// Bytes of a token's event on the wire.
    pub bytes_per_token: f64,
    /// Loss on the way; a loss delays, it never drops a token.
    pub loss: Loss,
}

/// A server that has to start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColdStart {
    /// Chance, [0, 1].
    pub probability: f64,
    /// How long it takes.
    pub time: Percentiles,
}

/// Whether the browser has a connection to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// DNS, TCP and TLS 1.3 come first: one round trip each for TCP and TLS.
    Cold,
    /// One round trip for the request.
    Warm,
}

/// What is asked of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Bytes sent.
    pub prompt_bytes: u64,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer, at least 1.
    pub output_tokens: u32,
    /// Whether there is a connection.
    pub connection: Connection,
}

/// A part of the time to the first token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Looking up the name.
    Dns,
    /// Opening the connection: TCP and TLS.
    Connect,
    /// Sending the prompt.
    Upload,
    /// The request's own round trip.
    RoundTrip,
    /// Starting the model.
    ColdStart,
    /// Queue and prefill.
    Server,
}

/// One simulated request. Times count from the moment it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// Preset it was simulated with.
    pub preset: String,
    /// Seed it was simulated with.
    pub seed: u64,
    /// Number of the run under that seed.
    pub run: u64,
    /// Stages up to the first token, in order; those that took no time are left out.
    pub stages: Vec<(Stage, Ms)>,
    /// When each token arrived; never earlier than the one before it.
    pub arrivals: Vec<Ms>,
}

impl Trace {
    /// Time to the first token.
    pub fn ttft(&self) -> Ms {
        self.arrivals.first().copied().unwrap_or_default()
    }

    /// Time to the last token.
    pub fn end(&self) -> Ms {
        self.arrivals.last().copied().unwrap_or_default()
    }
}

/// A preset with its distributions fitted.
pub struct Cloud<'a> {
    preset: &'a Preset,
    first_token: Lognormal,
    inter_token: Lognormal,
    jitter: Lognormal,
    cold_start: Option<(f64, Lognormal)>,
}

impl<'a> Cloud<'a> {
    /// Fits the preset's distributions.
    ///
    /// # Errors
    /// Percentiles of the preset describe no distribution.
    pub fn new(preset: &'a Preset) -> Result<Self, FitError> {
        let cold_start = match preset.cold_start {
            Some(cold) => Some((cold.probability, cold.time.fit()?)),
            None => None,
        };
        Ok(Self {
            first_token: preset.first_token.fit()?,
            inter_token: preset.inter_token.fit()?,
            jitter: preset.jitter.fit()?,
            cold_start,
            preset,
        })
    }

    /// One request, run `run` of `seed`: the same three arguments give the same trace, on any machine.
    pub fn simulate(&self, request: &Request, seed: u64, run: u64) -> Trace {
        let mut random = Random::new(seed, run);
        let stages = self.stages(request, &mut random);
        let first = stages.iter().map(|(_, time)| *time).sum();
        let arrivals = self.arrivals(request.output_tokens, first, &mut random);
        Trace { preset: self.preset.id.clone(), seed, run, stages, arrivals }
    }

    fn stages(&self, request: &Request, random: &mut Random) -> Vec<(Stage, Ms)> {
        let preset = self.preset;
        let (dns, connect) = match request.connection {
            Connection::Cold => (preset.dns_ms, 2.0 * preset.rtt_ms),
            Connection::Warm => (0.0, 0.0),
        };
        let cold_start = match self.cold_start {
            Some((chance, time)) if random.uniform() < chance => time.quantile(random.uniform()).0,
            _ => 0.0,
        };
        let server = self.first_token.quantile(random.uniform()).0
            + preset.prefill_ms_per_token * f64::from(request.prompt_tokens);
        let all = [
            (Stage::Dns, dns),
            (Stage::Connect, connect),
            (Stage::Upload, transfer_ms(request.prompt_bytes as f64, preset.up_mbit)),
            (Stage::RoundTrip, preset.rtt_ms),
            (Stage::ColdStart, cold_start),
            (Stage::Server, server),
        ];
        all.into_iter().filter(|(_, ms)| *ms > 0.0).map(|(stage, ms)| (stage, Ms(ms))).collect()
    }

    /// gen_k = gen_{k−1} + gap_k; arr_k = max(arr_{k−1}, gen_k + delay_k): the connection delivers in order, so
    /// a delay holds up what follows and then lets it out in a burst.
    fn arrivals(&self, tokens: u32, first: Ms, random: &mut Random) -> Vec<Ms> {
        let wire = transfer_ms(self.preset.bytes_per_token, self.preset.down_mbit);
        let (mut made, mut arrived, mut bad) = (first.0, 0.0f64, false);
        (0..tokens)
            .map(|index| {
                if index > 0 {
                    made += self.inter_token.quantile(random.uniform()).0;
                }
                bad = self.preset.loss.step(bad, random);
                let recovery = if bad { self.preset.loss.recovery_ms } else { 0.0 };
                let delay = self.jitter.quantile(random.uniform()).0 + wire + recovery;
                arrived = arrived.max(made + delay);
                Ms(arrived)
            })
            .collect()
    }
}

/// bytes · 8 / bandwidth, ms.
fn transfer_ms(bytes: f64, mbit: f64) -> f64 {
    bytes * 8.0 / (mbit * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_megabytes_at_ten_megabits_take_1_6_seconds() {
        assert_eq!(transfer_ms(2e6, 10.0), 1600.0);
    }
}
