//! One simulated request, and how its time to the first token spreads over many.

use latency::cloud::{Connection, Request};
use latency::stats::Series;

use crate::compare::model::service::Service;
use crate::compare::model::size::Size;
use crate::compare::model::timeline::Timeline;
use crate::shared::format;

/// Simulated requests behind the percentiles of the time to the first token.
const RUNS: u64 = 1_000;

/// One simulated request, and how its time to the first token spreads over many.
///
/// # Errors
/// A sentence, when the service describes no distribution.
pub fn cloud(
    service: &Service,
    size: Size,
    connection: Connection,
    seed: u64,
) -> Result<(Timeline, Spread), String> {
    let simulator = service.simulator()?;
    let request = size.request(connection);
    let mut firsts = Series::new(simulator.origin(seed));
    let short = Request { output_tokens: 1, ..request };
    simulator.each(&short, seed, 0..RUNS, |_, arrivals| arrivals.iter().for_each(|ms| firsts.record(*ms)));
    let at = |p| firsts.percentile(p).map(|ms| ms.0);
    Ok((simulator.timeline(&request, seed), Spread { p50: at(0.5), p90: at(0.9), p99: at(0.99) }))
}

/// How the simulated time to the first token spreads over many requests, ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

impl Spread {
    /// In words.
    pub fn words(&self) -> String {
        let ms = |value: Option<f64>| value.map_or(format::NONE.to_owned(), format::ms);
        format!(
            "Over {} simulated requests the first token comes within {} for half of them, {} for 90 % and {} for 99 %.",
            format::count(RUNS as f64),
            ms(self.p50),
            ms(self.p90),
            ms(self.p99)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::model::size::ASSUMED;

    #[test]
    fn the_same_seed_gives_the_same_spread() {
        for service in Service::all() {
            let run = |seed| cloud(&service, ASSUMED, Connection::Cold, seed).unwrap();
            assert_eq!(run(7), run(7));
            assert_ne!(run(7).1, run(8).1);
            let (_, spread) = run(7);
            assert!(spread.p50 < spread.p90 && spread.p90 < spread.p99);
        }
    }

    #[test]
    fn an_open_connection_skips_two_stages_and_quic_a_round_trip() {
        let service = &Service::all()[0];
        let timeline = |connection| cloud(service, ASSUMED, connection, 1).unwrap().0;
        let [cold, quic, warm] = [Connection::Cold, Connection::ColdQuic, Connection::Warm].map(timeline);
        assert_eq!(cold.bars.len(), warm.bars.len() + 2);
        assert!((cold.ttft - quic.ttft - 40.0).abs() < 1e-6);
    }
}
