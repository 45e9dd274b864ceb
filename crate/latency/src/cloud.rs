//! The simulated cloud: one request on a virtual clock, stage by stage, token by token.
//!
//! Presets are *decomposed*: server times exclude the network, which is added from the round-trip time.
//! Published end-to-end percentiles already include it, and have no place in this type.

use serde::{Deserialize, Serialize};

use crate::fit::Lognormal;
pub use crate::gilbert::Loss;
pub use crate::preset::{ColdStart, Percentiles, Preset, PresetError};
use crate::random::Random;
use crate::units::Ms;

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
    /// Checks the preset's figures and fits its distributions.
    ///
    /// # Errors
    /// A figure is out of its range, or percentiles describe no distribution.
    pub fn new(preset: &'a Preset) -> Result<Self, PresetError> {
        preset.check()?;
        let cold_start = match preset.cold_start {
            Some(cold) => Some((cold.probability, cold.time.fit("cold_start")?)),
            None => None,
        };
        Ok(Self {
            first_token: preset.first_token.fit("first_token")?,
            inter_token: preset.inter_token.fit("inter_token")?,
            jitter: preset.jitter.fit("jitter")?,
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
