//! The comparison: one measured answer beside one simulated request of the same size.
//!
//! The two sides are laid out alike and never mixed: each has its own type, its own lane and its own column.

use latency::Ms;
use latency::cloud::{Connection, Request};
use latency::stats::{Series, Simulated, Timing};

use crate::compare::model::service::Service;
use crate::latency::model::simulation::BYTES_PER_TOKEN;
use crate::run::model::recording::Recording;
use crate::shared::format;

/// Simulated requests behind the percentiles of the time to the first token.
const RUNS: u64 = 1_000;
/// Differences below this are not worth a winner, ms.
const SAME_MS: f64 = 1.0;

/// Stages of the measured side; the simulated one shares the names of those that it has.
pub(super) const NETWORK: &str = "DNS, connect, upload";
pub(super) const QUEUE: &str = "Queue";
pub(super) const PREFILL: &str = "Prefill";
pub(super) const TOKENS: &str = "Tokens";

/// One stage of a request: a bar in a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What happens.
    pub label: &'static str,
    /// When it begins, ms after the request.
    pub start: f64,
    /// How long it takes, ms.
    pub length: f64,
}

/// One side of the comparison: figures in ms, and the stages they are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Stages in order.
    pub bars: Vec<Bar>,
    /// Time to the first token.
    pub ttft: f64,
    /// Median time between tokens; `None` with too few of them.
    pub itl: Option<f64>,
    /// Time to the end of the answer.
    pub end: f64,
    /// When each token came.
    pub arrivals: Vec<f64>,
}

impl Lane {
    /// Of a simulated request. `stages`: up to the first token; the tokens are added to them.
    pub(super) fn simulated(origin: Simulated, mut stages: Vec<Bar>, arrivals: &[Ms]) -> Self {
        let [ttft, end] = [arrivals.first(), arrivals.last()].map(|at| at.map_or(0.0, |ms| ms.0));
        let start = stages.last().map_or(0.0, |bar| bar.start + bar.length);
        stages.push(Bar { label: TOKENS, start, length: (end - start).max(0.0) });
        let mut gaps = Series::new(origin);
        Timing::new(Ms(0.0), arrivals)
            .into_iter()
            .flat_map(|timing| timing.gaps)
            .for_each(|gap| gaps.record(gap));
        Self {
            bars: stages,
            ttft,
            itl: gaps.percentile(0.5).map(|ms| ms.0),
            end,
            arrivals: arrivals.iter().map(|ms| ms.0).collect(),
        }
    }
}

/// The size of a request, the same for both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Bytes of the prompt.
    pub prompt_bytes: u64,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Tokens of the answer.
    pub output_tokens: u32,
    /// Whether it is that of an answer measured here; otherwise it is assumed.
    pub measured: bool,
}

/// The size that stands in until there is an answer.
const ASSUMED: Size = Size { prompt_bytes: 400, prompt_tokens: 100, output_tokens: 60, measured: false };

impl Size {
    /// That of the last answer, or the assumed one.
    pub fn of(recording: Option<&Recording>) -> Self {
        recording.and_then(|recording| recording.finished.as_ref().map(|f| (recording, f))).map_or(
            ASSUMED,
            |(recording, finished)| Self {
                prompt_bytes: recording.prompt_bytes as u64,
                prompt_tokens: finished.prompt_tokens,
                output_tokens: finished.tokens.max(1),
                measured: true,
            },
        )
    }

    /// A request of this size.
    pub fn request(&self, connection: Connection) -> Request {
        Request {
            prompt_bytes: self.prompt_bytes,
            prompt_tokens: self.prompt_tokens,
            output_tokens: self.output_tokens,
            connection,
        }
    }

    /// That of an answer under way, as long as it may become. Until the worker has counted the prompt, its tokens are
    /// guessed from its bytes.
    pub fn under_way(recording: &Recording, most_tokens: u32) -> Self {
        let guessed = (recording.prompt_bytes as u32).div_ceil(BYTES_PER_TOKEN as u32);
        Self {
            prompt_bytes: recording.prompt_bytes as u64,
            prompt_tokens: recording.prefill.as_ref().map_or(guessed, |prefill| prefill.total),
            output_tokens: most_tokens.max(1),
            measured: false,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        let size = format!(
            "{} ({}) in, {} out",
            format::counted(self.prompt_tokens, "token", "tokens"),
            format::bytes(self.prompt_bytes as f64),
            format::counted(self.output_tokens, "token", "tokens"),
        );
        if self.measured {
            format!("Both sides handle your last request: {size}.")
        } else {
            format!("There is no answer yet, so a request of an assumed size is simulated: {size}.")
        }
    }
}

/// The measured lane.
pub fn here(recording: &Recording) -> Option<Lane> {
    let (timing, finished) = (recording.timing()?, recording.finished.as_ref()?);
    let ttft = finished.ttft_ms.unwrap_or(timing.ttft.0);
    let prefill = finished.prefill_ms.min(ttft);
    let written = (finished.total_ms - ttft).max(0.0);
    let stages = [(NETWORK, 0.0), (QUEUE, ttft - prefill), (PREFILL, prefill), (TOKENS, written)];
    Some(Lane {
        bars: bars(stages),
        ttft,
        itl: recording.gaps().percentile(0.5).map(|ms| ms.0),
        end: finished.total_ms,
        arrivals: recording.arrivals.clone(),
    })
}

/// One simulated request, and how its time to the first token spreads over many.
///
/// # Errors
/// A sentence, when the service describes no distribution.
pub fn cloud(
    service: &Service,
    size: Size,
    connection: Connection,
    seed: u64,
) -> Result<(Lane, Spread), String> {
    let (simulator, request) = (service.simulator()?, size.request(connection));
    let mut firsts = Series::new(simulator.origin(seed));
    let short = Request { output_tokens: 1, ..request };
    simulator.each(&short, seed, 0..RUNS, |_, arrivals| arrivals.iter().for_each(|ms| firsts.record(*ms)));
    let at = |p| firsts.percentile(p).map(|ms| ms.0);
    Ok((simulator.lane(&request, seed), Spread { p50: at(0.5), p90: at(0.9), p99: at(0.99) }))
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

/// Lays stages end to end.
pub(super) fn bars(stages: impl IntoIterator<Item = (&'static str, f64)>) -> Vec<Bar> {
    let mut start = 0.0;
    stages
        .into_iter()
        .map(|(label, length)| {
            let bar = Bar { label, start, length };
            start += length;
            bar
        })
        .collect()
}

/// Who won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// This device, in both times or in one with the other alike.
    Here,
    /// The simulated cloud, likewise.
    Cloud,
    /// One time each.
    Split,
    /// Neither: both times are alike.
    Neither,
}

impl Winner {
    fn of(here: &Lane, cloud: &Lane) -> Self {
        let ahead = |gap: f64| if gap.abs() < SAME_MS { 0.0 } else { gap.signum() };
        let [first, whole] = [cloud.ttft - here.ttft, cloud.end - here.end].map(ahead);
        match first + whole {
            sum if sum > 0.0 => Self::Here,
            sum if sum < 0.0 => Self::Cloud,
            _ if first == 0.0 => Self::Neither,
            _ => Self::Split,
        }
    }

    /// Stable name for tests.
    pub fn key(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Cloud => "cloud",
            Self::Split => "split",
            Self::Neither => "neither",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Here => "This device won",
            Self::Cloud => "This device lost",
            Self::Split => "One each",
            Self::Neither => "A draw",
        }
    }
}

/// Who was first and by how much, plainly, for this one answer and this one simulated request.
pub fn verdict(here: &Lane, cloud: &Lane) -> (Winner, String) {
    let told = |here: f64, cloud: f64| match here - cloud {
        d if d.abs() < SAME_MS => ("at about the same time".to_owned(), "as"),
        d if d > 0.0 => (format!("{} later", format::ms(d)), "than"),
        d => (format!("{} earlier", format::ms(-d)), "than"),
    };
    let winner = Winner::of(here, cloud);
    let (first, than) = told(here.ttft, cloud.ttft);
    let (whole, _) = told(here.end, cloud.end);
    let text = format!(
        "{}: the first token came {first} here {than} in the simulated request, and the answer ended {whole}.",
        winner.words()
    );
    (winner, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{FinishReason, Finished, Token};

    fn measured() -> Recording {
        let mut recording = Recording::new(0.0, 300);
        for index in 0..10u32 {
            let at_ms = 400.0 + 20.0 * f64::from(index);
            recording.token(&Token { id: 1, index, token: 1, text: String::new(), at_ms });
        }
        recording.finished = Some(Finished {
            id: 1,
            reason: FinishReason::EndOfTurn,
            text: String::new(),
            prompt_tokens: 80,
            reused_tokens: 0,
            tokens: 10,
            ttft_ms: Some(400.0),
            prefill_ms: 390.0,
            decode_ms: 180.0,
            total_ms: 590.0,
            memory_bytes: 1,
        });
        recording
    }

    #[test]
    fn the_measured_lane_adds_up() {
        let lane = here(&measured()).unwrap();
        let total: f64 = lane.bars.iter().map(|bar| bar.length).sum();
        assert_eq!((lane.ttft, lane.end, total), (400.0, 590.0, 590.0));
        assert_eq!(lane.bars[2], Bar { label: PREFILL, start: 10.0, length: 390.0 });
        assert_eq!(lane.bars[0].length, 0.0, "nothing is sent");
        assert_eq!(here(&Recording::default()), None);
    }

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
        let lane = |connection| cloud(service, ASSUMED, connection, 1).unwrap().0;
        let [cold, quic, warm] = [Connection::Cold, Connection::ColdQuic, Connection::Warm].map(lane);
        assert_eq!(cold.bars.len(), warm.bars.len() + 2);
        assert!((cold.ttft - quic.ttft - 40.0).abs() < 1e-6);
    }

    #[test]
    fn losing_is_said_plainly() {
        let lane = |ttft, end| Lane { bars: Vec::new(), ttft, itl: None, end, arrivals: Vec::new() };
        let (winner, text) = verdict(&lane(900.0, 4_000.0), &lane(300.0, 700.0));
        assert_eq!(winner, Winner::Cloud);
        assert!(text.starts_with("This device lost: the first token came 600 ms later here than"), "{text}");
        assert!(text.contains("ended 3,300 ms later"), "{text}");
        let (winner, text) = verdict(&lane(100.0, 700.2), &lane(300.0, 700.0));
        assert!(text.contains("200 ms earlier here than") && text.contains("same time"), "{text}");
        assert_eq!(winner, Winner::Here);
        let winner = |here, cloud| verdict(&here, &cloud).0;
        assert_eq!(winner(lane(100.0, 900.0), lane(300.0, 700.0)), Winner::Split);
        assert_eq!(winner(lane(100.0, 700.0), lane(100.5, 700.5)), Winner::Neither);
    }

    #[test]
    fn sizes_say_where_they_come_from() {
        assert!(Size::of(None).words().contains("assumed"));
        let size = Size::of(Some(&measured()));
        assert_eq!((size.prompt_tokens, size.output_tokens, size.measured), (80, 10, true));
        let guessed = Size::under_way(&Recording::new(0.0, 300), 64);
        assert_eq!((guessed.prompt_tokens, guessed.output_tokens, guessed.measured), (75, 64, false));
    }
}
