//! The simulated cloud against its own definition.

use latency::Ms;
use latency::cloud::{Cloud, Connection, Loss, Percentiles, Preset, Rare, Request, Stage};
use latency::cloud::{Published, PublishedCloud};
use latency::presets;
use latency::stats::{Series, Simulated, Timing};

/// Seed 42, run 0, 50 tokens of `pinned`: bits of the first arrival, and all arrivals folded together.
const PINNED_TTFT: u64 = 4_654_766_513_131_056_773;
const PINNED_ARRIVALS: u64 = 4_952_885_171_282_177_450;

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
fn a_cold_connection_costs_140_ms_over_quic_100_and_a_warm_one_40() {
    let preset = &presets::all()[0];
    assert_eq!((preset.dns_ms, preset.rtt_ms), (20.0, 40.0));
    let network = [Stage::Dns, Stage::Connect, Stage::RoundTrip];
    assert_eq!(stage(preset, &request(Connection::Cold), &network), 140.0);
    assert_eq!(stage(preset, &request(Connection::ColdQuic), &network), 100.0);
    assert_eq!(stage(preset, &request(Connection::Warm), &network), 40.0);
}

#[test]
fn uploads_take_their_bytes() {
    let preset = &presets::all()[0];
    let large = Request { prompt_bytes: 2_000_000, ..request(Connection::Warm) };
    assert_eq!(stage(preset, &large, &[Stage::Upload]), 1600.0);
}

#[test]
fn two_kilobytes_up_are_negligible_and_two_megabytes_down_take_1_6_seconds() {
    let mut preset = presets::all().remove(0);
    assert_eq!(stage(&preset, &request(Connection::Warm), &[Stage::Upload]), 1.6);
    let first =
        |preset: &Preset| Cloud::new(preset).unwrap().simulate(&request(Connection::Warm), 1, 0).ttft().0;
    (preset.down_mbit, preset.bytes_per_token) = (10.0, 0.0);
    let without = first(&preset);
    preset.bytes_per_token = 2e6;
    assert!((first(&preset) - without - 1600.0).abs() < 1e-9);
}

#[test]
fn a_longer_prompt_takes_its_slope_longer() {
    let preset = &presets::all()[0];
    let short = request(Connection::Warm);
    let long = Request { prompt_tokens: 10_000, ..short };
    let added = stage(preset, &long, &[Stage::Server]) - stage(preset, &short, &[Stage::Server]);
    assert!((added - 10_000.0 * preset.prefill_ms_per_token).abs() < 1e-9, "{added}");
}

#[test]
fn every_run_shown_is_the_run_simulated() {
    let preset = presets::all().pop().unwrap();
    let cloud = Cloud::new(&preset).unwrap();
    let ask = request(Connection::Cold);
    let mut runs = 0;
    cloud.each(&ask, 5, 10..20, |run, arrivals| {
        assert_eq!(arrivals, cloud.simulate(&ask, 5, run).arrivals);
        runs += 1;
    });
    assert_eq!(runs, 10);
}

#[test]
fn an_end_to_end_preset_gives_its_published_percentiles_and_no_round_trip_on_top() {
    for published in presets::published() {
        let cloud = PublishedCloud::new(&Published { cold_start: None, outlier: None, ..published.clone() })
            .map(|cloud| firsts(&cloud))
            .unwrap();
        let want = [(0.5, published.first_token.p50), (0.99, published.first_token.p99)];
        for (p, want) in want {
            let got = cloud.percentile(p).unwrap().0;
            assert!((got / want - 1.0).abs() < 0.02, "{} P{}: {got}, not {want}", published.id, p * 100.0);
        }
    }
}

#[test]
fn your_own_percentiles_or_samples_become_a_cloud() {
    let gaps = Percentiles { p50: 10.0, p90: None, p99: 30.0 };
    let pasted = Percentiles { p50: 204.0, p90: Some(281.0), p99: 456.0 };
    let yours = |first| Published::yours("pasted".into(), "2026-11-25".into(), first, gaps);
    let series = firsts(&PublishedCloud::new(&yours(pasted)).unwrap());
    assert!((series.percentile(0.99).unwrap().0 / 456.0 - 1.0).abs() < 0.02);

    let text: String = (1..1000).map(|i| format!("{}\n", 100.0 + 50.0 * f64::from(i) / 1000.0)).collect();
    let samples = latency::pasted::read(&text).unwrap();
    let fitted = latency::fit::fit(&samples).unwrap();
    let from_samples = yours(Percentiles::of(&fitted.time));
    let series = firsts(&PublishedCloud::new(&from_samples).unwrap());
    let want = fitted.time.quantile(0.5).0;
    assert!((series.percentile(0.5).unwrap().0 / want - 1.0).abs() < 0.02);
    assert!(!fitted.plausible(), "evenly spread times are no lognormal, and the fit says so");

    let upside_down = Percentiles { p50: 300.0, p90: Some(200.0), p99: 400.0 };
    let said = PublishedCloud::new(&yours(upside_down)).err().unwrap().to_string();
    assert!(said.starts_with("first_token: P50 300, P90 200, P99 400 ms must rise"), "{said}");
}

fn firsts(cloud: &PublishedCloud<'_>) -> Series<Simulated> {
    let mut series = Series::new(cloud.origin(11));
    cloud.each(1, 11, 0..100_000, |_, arrivals| series.record(arrivals[0]));
    series
}

#[test]
fn an_outlier_is_as_rare_as_said_and_part_of_the_servers_time() {
    let preset = presets::all().pop().unwrap();
    assert_eq!((preset.id.as_str(), preset.outlier.map(|rare| rare.probability)), ("busy-hour", Some(0.01)));
    let cloud = Cloud::new(&preset).unwrap();
    let traces = (0..20_000).map(|run| cloud.simulate(&request(Connection::Warm), 3, run));
    let rare: Vec<_> = traces.filter(|trace| trace.outlier.0 > 0.0).collect();
    // Four standard errors of a share of 0.01 at n = 20,000.
    assert!((rare.len() as f64 / 20_000.0 - 0.01).abs() < 0.0029, "{}", rare.len());
    assert!(rare.iter().all(|t| t.stages.iter().any(|(s, ms)| *s == Stage::Server && *ms > t.outlier)));
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
            server.record(*time - trace.outlier);
        }
        let promised = [
            (0.5, Some(preset.first_token.p50)),
            (0.9, preset.first_token.p90),
            (0.99, Some(preset.first_token.p99)),
        ];
        for (p, want) in promised {
            let got = server.percentile(p).unwrap().0;
            let want = want.unwrap();
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
    preset.cold_start = Some(Rare { probability: 0.1, time });
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
        cold_start: Some(Rare { probability: 0.5, time: times(1_600.0, 16_500.0) }),
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
