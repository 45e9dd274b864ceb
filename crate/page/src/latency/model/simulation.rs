//! Ten thousand simulated requests of the sizes measured here, in pieces that leave the page time for its frames.

use latency::cloud::{Connection, Request};
use latency::export::Run;
use latency::stats::{Metrics, Simulated, Summary};

use crate::compare::model::service::{Service, Simulator};
use crate::compare::model::size::BYTES_PER_TOKEN;

/// Requests that are simulated.
pub const REQUESTS: u64 = 10_000;

/// The size of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer, at least 1.
    pub output_tokens: u32,
}

/// The size assumed until there are answers; the simulation is timed with it too.
pub const ASSUMED: Size = Size { prompt_tokens: 100, output_tokens: 200 };

/// Sizes of the answers that count; an assumed one while there is none.
pub fn sizes(runs: &[Run]) -> Vec<Size> {
    let counted = runs.iter().filter(|run| !run.hidden && !run.arrivals_ms.is_empty());
    let mut sizes: Vec<_> = counted
        .map(|run| Size { prompt_tokens: run.prompt_tokens, output_tokens: run.arrivals_ms.len() as u32 })
        .collect();
    sizes.sort_unstable();
    if sizes.is_empty() {
        sizes.push(ASSUMED);
    }
    sizes
}

/// A run of requests under way.
pub struct Simulation<'a> {
    simulator: Simulator<'a>,
    connection: Connection,
    seed: u64,
    sizes: Vec<Size>,
    next: u64,
    /// The four metrics of the requests so far.
    pub summary: Summary<Simulated>,
    /// Every request's.
    pub answers: Vec<Metrics>,
}

impl<'a> Simulation<'a> {
    /// # Errors
    /// A sentence, when the service describes no distribution.
    pub fn new(
        service: &'a Service,
        connection: Connection,
        seed: u64,
        sizes: Vec<Size>,
    ) -> Result<Self, String> {
        let simulator = service.simulator()?;
        let summary = Summary::new(simulator.origin(seed));
        Ok(Self { simulator, connection, seed, sizes, next: 0, summary, answers: Vec::new() })
    }

    /// Simulates some more requests; whether that were all. The pieces do not change a bit of the result.
    pub fn advance(&mut self, requests: u64) -> bool {
        let end = (self.next + requests).min(REQUESTS);
        let summary = &mut self.summary;
        let answers = &mut self.answers;
        for run in self.next..end {
            let size = self.sizes[run as usize % self.sizes.len()];
            let request = Request {
                prompt_bytes: BYTES_PER_TOKEN * u64::from(size.prompt_tokens),
                prompt_tokens: size.prompt_tokens,
                output_tokens: size.output_tokens,
                connection: self.connection,
            };
            self.simulator.each(&request, self.seed, run..run + 1, |_, arrivals| {
                summary.record_arrivals(arrivals);
                answers.extend(Metrics::new(arrivals));
            });
        }
        self.next = end;
        end == REQUESTS
    }

    /// Requests so far.
    pub fn done(&self) -> u64 {
        self.next
    }

    /// Mean tokens of an answer.
    pub fn output_tokens(&self) -> f64 {
        let all: u64 = self.sizes.iter().map(|size| u64::from(size.output_tokens)).sum();
        all as f64 / self.sizes.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use latency::Ms;
    use latency::corpus::Category;

    fn run(hidden: bool, tokens: usize) -> Run {
        let arrivals: Vec<_> = (1..=tokens).map(|n| Ms(10.0 * n as f64)).collect();
        Run { hidden, ..Run::new("p", Category::CodeAnalysis, 0, 50, &arrivals) }
    }

    #[test]
    fn only_answers_that_count_have_a_size() {
        let assumed = sizes(&[]);
        assert_eq!(assumed, [ASSUMED]);
        assert_eq!(sizes(&[run(true, 9), run(false, 0)]), assumed);
        assert_eq!(sizes(&[run(false, 3), run(true, 9)]), [Size { prompt_tokens: 50, output_tokens: 3 }]);
    }

    #[test]
    fn pieces_do_not_change_a_bit() {
        let service = Service::all().remove(0);
        let make = || {
            let sizes = sizes(&[run(false, 3), run(false, 8)]);
            Simulation::new(&service, Connection::Warm, 7, sizes).unwrap()
        };
        let mut whole = make();
        let mut pieces = make();
        assert!(whole.advance(REQUESTS));
        while !pieces.advance(333) {}
        assert_eq!(whole.answers, pieces.answers);
        assert_eq!(whole.answers.len() as u64, REQUESTS);
        assert_eq!(whole.summary.ttft.percentile(0.99), pieces.summary.ttft.percentile(0.99));
        assert_eq!(whole.output_tokens(), 5.5);
    }
}
