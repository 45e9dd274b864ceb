//! What this page knows beyond the entries: what the device check and the last answer measured, and what the simulated
//! cloud came to.

use economics::{
    Deployment, Evidence, Gigabytes, Milliseconds, Origin, Sampled, Scenario, SloMetric, SloPercentile,
};

/// Facts, whatever scenario they are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Memory that the browser reports, GB.
    pub memory_gb: Option<f64>,
    /// Median and 90th percentile of the time between tokens in this tab, ms; the second only from enough gaps on.
    pub here_itl: [Option<f64>; 2],
    /// 50th, 90th and 99th percentile of the simulated cloud's time to first token, ms.
    pub cloud_ttft: [Option<f64>; 3],
}

impl Known {
    /// What of it a scenario's requirements ask for. A percentile that no samples stand behind stays unknown.
    pub fn evidence(&self, s: &Scenario) -> Evidence {
        let (metric, percentile) = (s.policy.slo_metric, s.policy.slo_percentile);
        let asked = s.policy.slo.0 > 0.0;
        let here = match (metric, percentile) {
            (SloMetric::Itl, SloPercentile::P50) => self.here_itl[0],
            (SloMetric::Itl, SloPercentile::P90) => self.here_itl[1],
            _ => None,
        };
        let [p50, p90, p99] = self.cloud_ttft;
        let cloud = match (metric, percentile) {
            (SloMetric::Ttft, SloPercentile::P50) => p50,
            (SloMetric::Ttft, SloPercentile::P90) => p90,
            (SloMetric::Ttft, SloPercentile::P99) => p99,
            _ => None,
        };
        let (tab, api) = (Deployment::Browser as usize, Deployment::Cloud as usize);
        let ms = |origin| move |value| Sampled { value: Milliseconds(value), origin };
        let mut evidence = Evidence::default();
        evidence.memory[tab] =
            self.memory_gb.map(|gb| Sampled { value: Gigabytes(gb), origin: Origin::Measured });
        evidence.latency[tab] = here.filter(|_| asked).map(ms(Origin::Measured));
        evidence.latency[api] = cloud.filter(|_| asked).map(ms(Origin::Simulated));
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
            here_itl: [Some(20.0), None],
            cloud_ttft: [300.0, 500.0, 900.0].map(Some),
        };
        let mut s = Scenario::seed_example();
        assert_eq!(known.evidence(&s).latency, [None; 5], "nothing is asked");
        s.policy.slo.0 = 500.0;
        s.policy.slo_metric = SloMetric::Ttft;
        s.policy.slo_percentile = SloPercentile::P99;
        let evidence = known.evidence(&s);
        let cloud = evidence.latency[Deployment::Cloud as usize].unwrap();
        assert_eq!((cloud.value.0, cloud.origin), (900.0, Origin::Simulated));
        assert_eq!(evidence.latency[Deployment::Browser as usize], None);
        s.policy.slo_metric = SloMetric::Itl;
        assert_eq!(known.evidence(&s).latency, [None; 5], "too few gaps for a P99");
        s.policy.slo_percentile = SloPercentile::P50;
        let here = known.evidence(&s).latency[Deployment::Browser as usize].unwrap();
        assert_eq!((here.value.0, here.origin), (20.0, Origin::Measured));
    }
}
