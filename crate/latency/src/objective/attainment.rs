//! How often answers meet an objective.

use serde::{Deserialize, Serialize};

use super::slo::Slo;
use crate::samples::stats::{Metrics, samples_needed};
use crate::units::Ms;

/// How many requests met an objective. One without an answer counts and did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attainment {
    /// Requests that met every limit.
    pub met: u64,
    /// All requests.
    pub requests: u64,
}

impl Attainment {
    /// Adds a request; `None` if it brought no complete answer.
    pub fn record(&mut self, slo: &Slo, answer: Option<&Metrics>) {
        self.requests += 1;
        self.met += u64::from(answer.is_some_and(|answer| slo.met_by(answer)));
    }

    /// Share that met it, `None` without requests.
    pub fn share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.met as f64 / self.requests as f64)
    }

    /// Goodput: requests that met every limit, a second of `duration`. For a closed loop that is the time from the
    /// first request to the last answer. `None` if no time passed.
    pub fn goodput(&self, duration: Ms) -> Option<PerSecond> {
        (duration.0 > 0.0).then(|| PerSecond(self.met as f64 / (duration.0 / 1e3)))
    }

    /// Whether the objective holds: `None` until enough requests stand behind its share.
    pub fn holds(&self, slo: &Slo) -> Option<bool> {
        let share = self.share().filter(|_| self.requests >= samples_needed(slo.share));
        share.map(|share| share >= slo.share)
    }
}

/// Requests a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct PerSecond(pub f64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{Cloud, Connection, Request};
    use crate::presets;

    fn answer(ttft: f64, tpot: f64) -> Metrics {
        Metrics { ttft: Ms(ttft), tpot: Some(Ms(tpot)), end_to_end: Ms(ttft + 10.0 * tpot) }
    }

    #[test]
    fn presets_are_the_published_limits() {
        let limits: Vec<_> =
            presets::slos().into_iter().map(|slo| (slo.id, slo.ttft_ms, slo.tpot_ms, slo.share)).collect();
        let want = |id: &str, ttft, tpot: Option<f64>| (id.to_owned(), Some(Ms(ttft)), tpot.map(Ms), 0.99);
        assert_eq!(limits[0], want("interactive", 500.0, Some(30.0)));
        assert_eq!(limits[1], want("conversational", 2000.0, Some(100.0)));
        assert_eq!(limits[2], want("article-50", 50.0, None));
    }

    #[test]
    fn an_answer_must_keep_every_limit() {
        let slo = presets::slos().remove(0);
        let met = [answer(500.0, 30.0), answer(501.0, 1.0), answer(1.0, 30.1)].map(|a| slo.met_by(&a));
        assert_eq!(met, [true, false, false]);
        assert!(slo.met_by(&Metrics { ttft: Ms(1.0), tpot: None, end_to_end: Ms(1.0) }));
        assert!(Slo::custom(None, None, 0.5).met_by(&answer(1e9, 1e9)));
    }

    #[test]
    fn goodput_counts_only_what_met_all_limits() {
        let slo = presets::slos().remove(0);
        let mut attainment = Attainment::default();
        for answer in [Some(answer(400.0, 20.0)), Some(answer(900.0, 20.0)), None, Some(answer(1.0, 1.0))] {
            attainment.record(&slo, answer.as_ref());
        }
        assert_eq!(attainment, Attainment { met: 2, requests: 4 });
        assert_eq!((attainment.share(), attainment.holds(&slo)), (Some(0.5), None));
        assert_eq!(attainment.goodput(Ms(8_000.0)), Some(PerSecond(0.25)));
        assert_eq!((attainment.goodput(Ms(0.0)), Attainment::default().share()), (None, None));
        assert_eq!(Attainment { met: 298, requests: 299 }.holds(&slo), Some(true));
        assert_eq!(Attainment { met: 290, requests: 299 }.holds(&slo), Some(false));
    }

    #[test]
    fn a_simulated_series_attains_what_its_distribution_says() {
        let preset = presets::all().remove(0);
        let cloud = Cloud::new(&preset).unwrap();
        let ask =
            Request { prompt_bytes: 0, prompt_tokens: 0, output_tokens: 1, connection: Connection::Warm };
        // Half of the answers come by the median; jitter is on top, so slightly fewer.
        let slo = Slo::custom(Some(Ms(preset.first_token.p50 + preset.rtt_ms + 1.7)), None, 0.5);
        let mut attainment = Attainment::default();
        cloud
            .each(&ask, 1, 0..20_000, |_, arrivals| attainment.record(&slo, Metrics::new(arrivals).as_ref()));
        assert!((attainment.share().unwrap() - 0.5).abs() < 0.02, "{:?}", attainment.share());
    }
}
