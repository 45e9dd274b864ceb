//! The simulated cloud against its own definition.

use latency::Ms;
use latency::cloud::{Cloud, ColdStart, Connection, Loss, Percentiles, Preset, Request, Stage};
use latency::presets;
use latency::stats::{Series, Simulated, Timing};

/// Seed 42, run 0, 50 tokens of `pinned`: bits of the first arrival, and all arrivals folded together.
const PINNED_TTFT: u64 = 4_654_766_513_128_250_722;
const PINNED_ARRIVALS: u64 = 2_258_105_567_319_044_519;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn request(connection: Connection) -> Request {
    Request { prompt_bytes: 2_000, prompt_tokens: 0, output_tokens: 50, connection }
}

fn stage(preset: &Preset, request: &Request, wanted: &[Stage]) -> f64 {
    let trace = Cloud::new(preset).unwrap().simulate(request, 1, 0);
    trace.stages.iter().filter(|(stage, _)| wanted.contains(stage)).map(|(_, ms)| ms.0).sum()
}

#[test]
fn a_cold_connection_costs_140_ms_and_a_warm_one_40() {
    let preset = &presets::all()[0];
    assert_eq!((preset.dns_ms, preset.rtt_ms), (20.0, 40.0));
    let network = [Stage::Dns, Stage::Connect, Stage::RoundTrip];
    assert_eq!(stage(preset, &request(Connection::Cold), &network), 140.0);
    assert_eq!(stage(preset, &request(Connection::Warm), &network), 40.0);
}

#[test]
fn uploads_take_their_bytes() {
    let preset = &presets::all()[0];
    let large = Request { prompt_bytes: 2_000_000, ..request(Connection::Warm) };
    assert_eq!(stage(preset, &large, &[Stage::Upload]), 1600.0);
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_run_another() {
    let preset = &presets::all()[0];
    let cloud = Cloud::new(preset).unwrap();
    let ask = request(Connection::Cold);
    assert_eq!(cloud.simulate(&ask, 7, 3), cloud.simulate(&ask, 7, 3));
    assert_ne!(cloud.simulate(&ask, 7, 3).arrivals, cloud.simulate(&ask, 7, 4).arrivals);
    assert_ne!(cloud.simulate(&ask, 7, 3).arrivals, cloud.simulate(&ask, 8, 3).arrivals);
}

#[test]
fn every_preset_has_sources_and_the_first_token_it_promises() {
    for preset in presets::all() {
        assert!(!preset.sources.is_empty() && preset.retrieved.len() == 10, "{}", preset.id);
        let cloud = Cloud::new(&preset).unwrap();
        let ask = Request { output_tokens: 1, ..request(Connection::Warm) };
        let mut server = Series::new(Simulated { preset: preset.id.clone(), seed: 11 });
        for run in 0..100_000 {
            let trace = cloud.simulate(&ask, 11, run);
            let (_, time) = trace.stages.iter().find(|(stage, _)| *stage == Stage::Server).unwrap();
            server.record(*time);
        }
        let promised = [
            (0.5, Some(preset.first_token.p50)),
            (0.9, preset.first_token.p90),
            (0.99, Some(preset.first_token.p99)),
        ];
        for (p, want) in promised {
            let (got, want) = (server.percentile(p).unwrap().0, want.unwrap());
            assert!((got / want - 1.0).abs() < 0.02, "{} P{}: {got}, not {want}", preset.id, p * 100.0);
        }
    }
}

/// Any link and any server that a preset may describe, within reason.
#[cfg(not(target_arch = "wasm32"))]
fn clouds() -> impl proptest::strategy::Strategy<Value = Preset> {
    use proptest::strategy::Strategy;
    let times = || {
        (0.1..500.0, 1.01..50.0).prop_map(|(p50, factor)| Percentiles { p50, p90: None, p99: p50 * factor })
    };
    let loss = (0.0..=1.0, 0.01..=1.0, 0.0..1000.0).prop_map(|(turn_bad, turn_good, recovery_ms)| Loss {
        turn_bad,
        turn_good,
        recovery_ms,
    });
    (times(), times(), times(), loss, 0.0..500.0, 0.1..1000.0).prop_map(
        |(first, gap, jitter, loss, rtt_ms, mbit)| Preset {
            first_token: first,
            inter_token: gap,
            jitter,
            loss,
            rtt_ms,
            up_mbit: mbit,
            down_mbit: mbit,
            ..presets::all().remove(0)
        },
    )
}

#[cfg(not(target_arch = "wasm32"))]
proptest::proptest! {
    #[test]
    fn tokens_arrive_in_order_however_bad_the_link(preset in clouds(), seed: u64, tokens in 1u32..200) {
        let ask = Request { output_tokens: tokens, ..request(Connection::Cold) };
        let trace = Cloud::new(&preset).unwrap().simulate(&ask, seed, 0);
        proptest::prop_assert_eq!(trace.arrivals.len(), tokens as usize);
        proptest::prop_assert!(trace.arrivals.is_sorted_by(|a, b| a.0 <= b.0));
        proptest::prop_assert!(trace.arrivals.iter().all(|ms| ms.0.is_finite()));
        let stages: Ms = trace.stages.iter().map(|(_, ms)| *ms).sum();
        proptest::prop_assert!(trace.ttft().0 >= stages.0, "the first token comes after every stage");
    }
}

#[test]
fn a_cold_start_happens_as_often_as_said() {
    let mut preset = presets::all().remove(0);
    let time = Percentiles { p50: 1600.0, p90: None, p99: 16_500.0 };
    preset.cold_start = Some(ColdStart { probability: 0.1, time });
    let cloud = Cloud::new(&preset).unwrap();
    let cold = (0..20_000)
        .filter(|run| {
            let trace = cloud.simulate(&request(Connection::Warm), 3, *run);
            trace.stages.iter().any(|(stage, _)| *stage == Stage::ColdStart)
        })
        .count();
    // Four standard errors of a share of 0.1 at n = 20,000.
    assert!((cold as f64 / 20_000.0 - 0.1).abs() < 0.0085, "{cold}");
}

#[test]
fn a_trace_has_the_metrics_of_any_answer() {
    let preset = &presets::all()[0];
    let trace = Cloud::new(preset).unwrap().simulate(&request(Connection::Warm), 1, 0);
    let timing = Timing::new(Ms(0.0), &trace.arrivals).unwrap();
    assert_eq!((timing.ttft, timing.end_to_end), (trace.ttft(), trace.end()));
    assert_eq!(timing.gaps.len(), 49);
}

/// Every random part in use, and apart from the presets in files, so that new figures there change no pin.
fn pinned() -> Preset {
    let times = |p50, p99| Percentiles { p50, p90: None, p99 };
    Preset {
        first_token: Percentiles { p50: 204.0, p90: Some(281.0), p99: 456.0 },
        cold_start: Some(ColdStart { probability: 0.5, time: times(1_600.0, 16_500.0) }),
        inter_token: times(4.0, 16.0),
        jitter: times(5.0, 80.0),
        loss: Loss { turn_bad: 0.1, turn_good: 0.25, recovery_ms: 120.0 },
        dns_ms: 20.0,
        rtt_ms: 60.0,
        up_mbit: 8.0,
        down_mbit: 25.0,
        prefill_ms_per_token: 0.01,
        bytes_per_token: 200.0,
        ..presets::all().remove(0)
    }
}

/// The same bits on every target: a trace is part of what an address or an export promises.
#[cfg_attr(not(target_arch = "wasm32"), test)]
#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
fn a_seed_means_the_same_bits_natively_and_in_wasm() {
    let preset = pinned();
    let trace = Cloud::new(&preset).unwrap().simulate(&request(Connection::Cold), 42, 0);
    let bits = trace.arrivals.iter().fold(0u64, |hash, ms| hash.rotate_left(5) ^ ms.0.to_bits());
    assert_eq!((trace.ttft().0.to_bits(), bits), (PINNED_TTFT, PINNED_ARRIVALS));
}
