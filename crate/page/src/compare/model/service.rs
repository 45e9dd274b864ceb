//! The clouds that can be chosen: taken apart into stages, published end to end, or a visitor's own.

use std::ops::Range;

use latency::cloud::{Cloud, Preset, Published, PublishedCloud, Request, Stage, Trace};
use latency::presets;
use latency::stats::Simulated;
use latency::{Figure, Ms};

use crate::compare::model::timeline::{Bar, Timeline, bars};

/// A cloud, as dated data.
#[derive(Clone, Debug, PartialEq)]
pub enum Service {
    /// Network and server apart: every stage is simulated.
    Stages(Preset),
    /// Times as a client saw them, network included: nothing may be added to them.
    Whole(Published),
}

impl Service {
    /// All that come with the page: those with stages first, the first of them the default.
    pub fn all() -> Vec<Self> {
        let stages = presets::all().into_iter().map(Self::Stages);
        stages.chain(presets::published().into_iter().map(Self::Whole)).collect()
    }

    /// Short name, in labels and exports.
    pub fn id(&self) -> &str {
        match self {
            Self::Stages(preset) => &preset.id,
            Self::Whole(published) => &published.id,
        }
    }

    /// Name on the page.
    pub fn label(&self) -> &str {
        match self {
            Self::Stages(preset) => &preset.label,
            Self::Whole(published) => &published.label,
        }
    }

    /// Where its figures come from, one sentence each.
    pub fn sources(&self) -> &[String] {
        match self {
            Self::Stages(preset) => &preset.sources,
            Self::Whole(published) => &published.sources,
        }
    }

    /// When they were looked up, `YYYY-MM-DD`.
    pub fn retrieved(&self) -> &str {
        match self {
            Self::Stages(preset) => &preset.retrieved,
            Self::Whole(published) => &published.retrieved,
        }
    }

    /// Each figure with unit, range, source and date; none for a visitor's own numbers.
    pub fn figures(&self) -> &[Figure] {
        match self {
            Self::Stages(preset) => &preset.figures,
            Self::Whole(published) => &published.figures,
        }
    }

    /// Whether its times include the network, so that there is no connection to choose.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }

    /// Fits its distributions.
    ///
    /// # Errors
    /// A sentence, when its figures describe none.
    pub fn simulator(&self) -> Result<Simulator<'_>, String> {
        let refused = |error| format!("{}: {error}.", self.label());
        match self {
            Self::Stages(preset) => Ok(Simulator::Stages(Cloud::new(preset).map_err(refused)?, preset)),
            Self::Whole(published) => Ok(Simulator::Whole(PublishedCloud::new(published).map_err(refused)?)),
        }
    }
}

/// A service with its distributions fitted.
pub enum Simulator<'a> {
    /// Stage by stage.
    Stages(Cloud<'a>, &'a Preset),
    /// End to end; of a request only the tokens of its answer matter.
    Whole(PublishedCloud<'a>),
}

impl Simulator<'_> {
    /// The label that every sample drawn from it must carry.
    pub fn origin(&self, seed: u64) -> Simulated {
        match self {
            Self::Stages(cloud, _) => cloud.origin(seed),
            Self::Whole(cloud) => cloud.origin(seed),
        }
    }

    /// Shows the arrivals of each of these runs to `visit`.
    pub fn each(&self, request: &Request, seed: u64, runs: Range<u64>, visit: impl FnMut(u64, &[Ms])) {
        match self {
            Self::Stages(cloud, _) => cloud.each(request, seed, runs, visit),
            Self::Whole(cloud) => cloud.each(request.output_tokens, seed, runs, visit),
        }
    }

    /// The first run of `seed`, to be looked at. A longer answer begins as a shorter one does.
    pub fn timeline(&self, request: &Request, seed: u64) -> Timeline {
        match self {
            Self::Stages(cloud, preset) => {
                let trace = cloud.simulate(request, seed, 0);
                let prefill = preset.prefill_ms_per_token * f64::from(request.prompt_tokens);
                Timeline::simulated(self.origin(seed), stages(&trace, prefill), &trace.arrivals)
            }
            Self::Whole(cloud) => {
                let mut arrivals = Vec::new();
                cloud.arrivals(request.output_tokens, seed, 0, &mut arrivals);
                let first = arrivals.first().map_or(0.0, |ms| ms.0);
                Timeline::simulated(self.origin(seed), bars([("First token, end to end", first)]), &arrivals)
            }
        }
    }
}

/// Stages up to the first token. `prefill`: the part of the server's stage that grows with the prompt, ms.
fn stages(trace: &Trace, prefill: f64) -> Vec<Bar> {
    let named = trace.stages.iter().flat_map(|(stage, Ms(ms))| match stage {
        Stage::Dns => vec![("Look-up (DNS)", *ms)],
        Stage::Connect => vec![("Connect", *ms)],
        Stage::Upload => vec![("Upload", *ms)],
        Stage::RoundTrip => vec![("Round trip", *ms)],
        Stage::ColdStart => vec![("Start of the model", *ms)],
        Stage::Server => {
            let outlier = trace.outlier.0;
            let mut server = vec![("Queue", ms - outlier - prefill)];
            if outlier > 0.0 {
                server.push(("Timeout and retry", outlier));
            }
            server.push(("Prefill", prefill));
            server
        }
    });
    bars(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use latency::cloud::Connection;

    const REQUEST: Request =
        Request { prompt_bytes: 400, prompt_tokens: 100, output_tokens: 60, connection: Connection::Cold };

    #[test]
    fn every_service_says_what_it_is_and_gives_its_seeds_lane() {
        let all = Service::all();
        assert_eq!((all.len(), all.iter().filter(|service| service.is_whole()).count()), (9, 4));
        for service in &all {
            let simulator = service.simulator().unwrap();
            let timeline = |seed| simulator.timeline(&REQUEST, seed);
            assert_eq!(timeline(7), timeline(7));
            assert_ne!(timeline(7), timeline(8));
            let total: f64 = timeline(7).bars.iter().map(|bar| bar.length).sum();
            assert!((total - timeline(7).end).abs() < 1e-6, "{}", service.id());
            assert!(timeline(7).bars.iter().all(|bar| bar.length >= 0.0), "{}", service.id());
            assert!(!service.sources().is_empty() && service.retrieved().len() == 10);
            assert_eq!(simulator.origin(7).preset, service.id());
        }
    }

    #[test]
    fn published_times_get_no_network_added() {
        for service in Service::all().iter().filter(|service| service.is_whole()) {
            let simulator = service.simulator().unwrap();
            let timeline = |connection| simulator.timeline(&Request { connection, ..REQUEST }, 3);
            assert_eq!(timeline(Connection::Cold), timeline(Connection::Warm));
            assert_eq!(timeline(Connection::Cold).bars.len(), 2);
        }
    }

    #[test]
    fn queue_and_prefill_are_the_servers_stage() {
        let service = &Service::all()[0];
        let simulator = service.simulator().unwrap();
        let names = |timeline: &Timeline| timeline.bars.iter().map(|bar| bar.label).collect::<Vec<_>>();
        let timeline = simulator.timeline(&REQUEST, 1);
        let want = ["Look-up (DNS)", "Connect", "Upload", "Round trip", "Queue", "Prefill", "Tokens"];
        assert_eq!(names(&timeline), want);
        assert!((timeline.bars[5].length - 1.23).abs() < 1e-9, "0.0123 ms for each of 100 tokens");
        let longer = simulator.timeline(&Request { prompt_tokens: 1_100, ..REQUEST }, 1);
        assert!((longer.ttft - timeline.ttft - 12.3).abs() < 1e-6);
        assert!((longer.bars[4].length - timeline.bars[4].length).abs() < 1e-6, "the queue does not grow");
    }

    #[test]
    fn a_longer_answer_begins_as_a_shorter_one() {
        for service in Service::all() {
            let simulator = service.simulator().unwrap();
            let of = |output_tokens| simulator.timeline(&Request { output_tokens, ..REQUEST }, 5).arrivals;
            assert_eq!(of(200)[..60], of(60));
        }
    }
}
