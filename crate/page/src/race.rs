//! The comparison: one measured answer beside one simulated request of the same size.
//!
//! The two sides are laid out alike and never mixed: each has its own type, its own lane and its own column.

use latency::Ms;
use latency::cloud::{Cloud, Connection, Preset, Request, Stage, Trace};
use latency::stats::{Series, Simulated, Timing};

use crate::figures::Recording;
use crate::format;

/// Simulated requests behind the percentiles of the time to the first token.
const RUNS: u64 = 1_000;
/// Differences below this are not worth a winner, ms.
const SAME_MS: f64 = 1.0;

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
    /// When each token came; empty on the measured side, whose tokens are the answer.
    pub arrivals: Vec<f64>,
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
    let stages = [
        ("Handing over", ttft - prefill),
        ("Reading the prompt", prefill),
        ("Writing the answer", (finished.total_ms - ttft).max(0.0)),
    ];
    Some(Lane {
        bars: bars(stages),
        ttft,
        itl: recording.gaps().percentile(0.5).map(|ms| ms.0),
        end: finished.total_ms,
        arrivals: Vec::new(),
    })
}

/// The measured lane while the answer comes, `now` ms after the request.
pub fn here_so_far(recording: &Recording, now: f64) -> Lane {
    let first = recording.timing().map(|timing| timing.ttft.0);
    let handed = recording.prefill.as_ref().map_or(now, |prefill| {
        if prefill.done == prefill.reused { prefill.at_ms - recording.asked_ms } else { 0.0 }
    });
    let ttft = first.unwrap_or(now).max(0.0);
    let handed = handed.clamp(0.0, ttft);
    let stages = [
        ("Handing over", handed),
        ("Reading the prompt", ttft - handed),
        ("Writing the answer", (now - ttft).max(0.0)),
    ];
    Lane { bars: bars(stages), ttft, itl: None, end: now, arrivals: Vec::new() }
}

impl Lane {
    /// As far as it has come `now` ms after the request; stages to come have no length yet.
    pub fn so_far(&self, now: f64) -> Self {
        let cut = |bar: &Bar| Bar { length: bar.length.min((now - bar.start).max(0.0)), ..bar.clone() };
        Self { bars: self.bars.iter().map(cut).collect(), ..self.clone() }
    }
}

/// One simulated request.
///
/// # Errors
/// A sentence, when the preset describes no distribution.
pub fn lane(preset: &Preset, size: Size, connection: Connection, seed: u64) -> Result<Lane, String> {
    let cloud = open(preset)?;
    Ok(simulated(&cloud.simulate(&request(size, connection), seed, 0), cloud.origin(seed)))
}

/// One simulated request, and how its time to the first token spreads over many.
///
/// # Errors
/// A sentence, when the preset describes no distribution.
pub fn cloud(
    preset: &Preset,
    size: Size,
    connection: Connection,
    seed: u64,
) -> Result<(Lane, Spread), String> {
    let (cloud, lane) = (open(preset)?, lane(preset, size, connection, seed)?);
    let request = Request { output_tokens: 1, ..request(size, connection) };
    let mut firsts = Series::new(cloud.origin(seed));
    for run in 0..RUNS {
        firsts.record(cloud.simulate(&request, seed, run).ttft());
    }
    let at = |p| firsts.percentile(p).map(|ms| ms.0);
    Ok((lane, Spread { p50: at(0.5), p90: at(0.9), p99: at(0.99) }))
}

fn open(preset: &Preset) -> Result<Cloud<'_>, String> {
    Cloud::new(preset).map_err(|error| format!("Preset {}: {error}.", preset.label))
}

fn request(size: Size, connection: Connection) -> Request {
    Request {
        prompt_bytes: size.prompt_bytes,
        prompt_tokens: size.prompt_tokens,
        output_tokens: size.output_tokens,
        connection,
    }
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

fn simulated(trace: &Trace, origin: Simulated) -> Lane {
    let until_first: f64 = trace.stages.iter().map(|(_, time)| time.0).sum();
    let stages = trace.stages.iter().map(|(stage, time)| (stage_name(*stage), time.0));
    let stream = ("Streaming the answer", (trace.end().0 - until_first).max(0.0));
    let timing = Timing::new(Ms(0.0), &trace.arrivals);
    let mut gaps = Series::new(origin);
    for gap in timing.iter().flat_map(|timing| &timing.gaps) {
        gaps.record(*gap);
    }
    Lane {
        bars: bars(stages.chain([stream])),
        ttft: trace.ttft().0,
        itl: gaps.percentile(0.5).map(|ms| ms.0),
        end: trace.end().0,
        arrivals: trace.arrivals.iter().map(|ms| ms.0).collect(),
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Dns => "Looking up the name (DNS)",
        Stage::Connect => "Connecting",
        Stage::Upload => "Sending the prompt",
        Stage::RoundTrip => "Round trip",
        Stage::ColdStart => "Starting the model",
        Stage::Server => "Queue and prompt",
    }
}

/// Lays stages end to end.
fn bars(stages: impl IntoIterator<Item = (&'static str, f64)>) -> Vec<Bar> {
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

/// Who was first and by how much, plainly, for this one answer and this one simulated request.
pub fn verdict(here: &Lane, cloud: &Lane) -> String {
    let told = |here: f64, cloud: f64| match here - cloud {
        d if d.abs() < SAME_MS => ("at about the same time".to_owned(), "as"),
        d if d > 0.0 => (format!("{} later", format::ms(d)), "than"),
        d => (format!("{} earlier", format::ms(-d)), "than"),
    };
    let (first, than) = told(here.ttft, cloud.ttft);
    let (whole, _) = told(here.end, cloud.end);
    format!(
        "The first token came {first} here {than} in the simulated request, and the answer ended {whole}."
    )
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
    fn a_lane_under_way_ends_now() {
        let mut recording = measured();
        recording.finished = None;
        let lane = here_so_far(&recording, 450.0);
        assert_eq!((lane.ttft, lane.end), (400.0, 450.0));
        assert!((lane.bars.iter().map(|bar| bar.length).sum::<f64>() - 450.0).abs() < 1e-9);
        let whole = Lane { bars: bars([("a", 100.0), ("b", 50.0), ("c", 10.0)]), ..lane };
        let lengths: Vec<_> = whole.so_far(120.0).bars.iter().map(|bar| bar.length).collect();
        assert_eq!(lengths, [100.0, 20.0, 0.0]);
    }

    #[test]
    fn the_measured_lane_adds_up() {
        let lane = here(&measured()).unwrap();
        let total: f64 = lane.bars.iter().map(|bar| bar.length).sum();
        assert_eq!((lane.ttft, lane.end, total), (400.0, 590.0, 590.0));
        assert_eq!(lane.bars[1], Bar { label: "Reading the prompt", start: 10.0, length: 390.0 });
        assert_eq!(here(&Recording::default()), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_lane() {
        for preset in latency::presets::all() {
            let run = |seed| cloud(&preset, ASSUMED, Connection::Cold, seed).unwrap();
            assert_eq!(run(7), run(7));
            assert_ne!(run(7).0, run(8).0);
            let (lane, spread) = run(7);
            let total: f64 = lane.bars.iter().map(|bar| bar.length).sum();
            assert!((total - lane.end).abs() < 1e-6);
            assert!(spread.p50 < spread.p90 && spread.p90 < spread.p99);
        }
    }

    #[test]
    fn a_warm_connection_skips_two_stages() {
        let preset = &latency::presets::all()[0];
        let bars = |connection| cloud(preset, ASSUMED, connection, 1).unwrap().0.bars.len();
        assert_eq!(bars(Connection::Cold), bars(Connection::Warm) + 2);
    }

    #[test]
    fn losing_is_said_plainly() {
        let lane = |ttft, end| Lane { bars: Vec::new(), ttft, itl: None, end, arrivals: Vec::new() };
        let text = verdict(&lane(900.0, 4_000.0), &lane(300.0, 700.0));
        assert!(text.contains("600 ms later") && text.contains("3,300 ms later"), "{text}");
        let text = verdict(&lane(100.0, 700.2), &lane(300.0, 700.0));
        assert!(text.contains("200 ms earlier here than") && text.contains("same time"), "{text}");
    }

    #[test]
    fn sizes_say_where_they_come_from() {
        assert!(Size::of(None).words().contains("assumed"));
        let size = Size::of(Some(&measured()));
        assert_eq!((size.prompt_tokens, size.output_tokens, size.measured), (80, 10, true));
    }
}
