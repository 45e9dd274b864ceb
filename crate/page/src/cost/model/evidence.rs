//! Facts beyond the entries: the device check's, those of the answers measured here, and those that the simulated cloud
//! came to.

use economics::{Deployment, Evidence, Gigabytes, Milliseconds, Sampled, Scenario, SloMetric, SloPercentile};

/// Percentiles of one side, ms: P50, P90, P95, P99. One that too few samples stand behind is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// Time to first token.
    pub ttft: [Option<f64>; 4],
    /// Time between tokens.
    pub itl: [Option<f64>; 4],
    /// Time to the last token.
    pub end_to_end: [Option<f64>; 4],
}

/// The percentiles of [`Times`].
pub const LEVELS: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

impl Times {
    /// The percentile that a requirement asks for.
    fn of(&self, metric: SloMetric, percentile: SloPercentile) -> Option<f64> {
        let at = match percentile {
            SloPercentile::P50 => 0,
            SloPercentile::P90 => 1,
            SloPercentile::P95 => 2,
            SloPercentile::P99 => 3,
        };
        match metric {
            SloMetric::Ttft => self.ttft[at],
            SloMetric::Itl => self.itl[at],
            SloMetric::EndToEnd => self.end_to_end[at],
        }
    }
}

/// Facts, whatever scenario they are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Memory that the browser reports, GB.
    pub memory_gb: Option<f64>,
    /// Measured in this tab.
    pub here: Times,
    /// Simulated for the cloud.
    pub cloud: Times,
}

impl Known {
    /// The part of it that a scenario's requirements ask for.
    pub fn evidence(&self, s: &Scenario) -> Evidence {
        let asked = |times: &Times, origin| {
            let value = times.of(s.policy.slo_metric, s.policy.slo_percentile)?;
            (s.policy.slo.0 > 0.0).then_some(Sampled { value: Milliseconds(value), origin })
        };
        let tab = Deployment::Browser as usize;
        let api = Deployment::Cloud as usize;
        let mut evidence = Evidence::default();
        evidence.memory[tab] =
            self.memory_gb.map(|gb| Sampled { value: Gigabytes(gb), origin: economics::Origin::Measured });
        evidence.latency[tab] = asked(&self.here, economics::Origin::Measured);
        evidence.latency[api] = asked(&self.cloud, economics::Origin::Simulated);
        evidence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_percentile_that_is_asked_for_is_evidence() {
        let known = Known {
            memory_gb: Some(8.0),
            here: Times { itl: [Some(20.0), None, None, None], ..Times::default() },
            cloud: Times { ttft: [300.0, 500.0, 600.0, 900.0].map(Some), ..Times::default() },
        };
        let mut s = Scenario::seed_example();
        assert_eq!(known.evidence(&s).latency, [None; 5], "nothing is asked");
        s.policy.slo.0 = 500.0;
        s.policy.slo_metric = SloMetric::Ttft;
        s.policy.slo_percentile = SloPercentile::P99;
        let evidence = known.evidence(&s);
        let cloud = evidence.latency[Deployment::Cloud as usize].unwrap();
        assert_eq!((cloud.value.0, cloud.origin), (900.0, economics::Origin::Simulated));
        assert_eq!(evidence.latency[Deployment::Browser as usize], None);
        s.policy.slo_metric = SloMetric::Itl;
        assert_eq!(known.evidence(&s).latency, [None; 5], "too few gaps for a P99");
        s.policy.slo_percentile = SloPercentile::P50;
        let here = known.evidence(&s).latency[Deployment::Browser as usize].unwrap();
        assert_eq!((here.value.0, here.origin), (20.0, economics::Origin::Measured));
    }
}
