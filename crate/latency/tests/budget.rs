//! What a simulation costs: time and memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use latency::cloud::{Cloud, Connection, Request};
use latency::presets;
use latency::stats::Summary;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory but its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn request(output_tokens: u32) -> Request {
    Request { prompt_bytes: 2_000, prompt_tokens: 500, output_tokens, connection: Connection::Cold }
}

/// One test, since another beside it would allocate too.
#[test]
fn ten_thousand_requests_allocate_nothing_a_token_and_take_milliseconds() {
    let preset = presets::all().remove(0);
    let cloud = Cloud::new(&preset).unwrap();
    let allocations = |tokens, runs| {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        cloud.each(&request(tokens), 1, 0..runs, |_, arrivals| assert_eq!(arrivals.len(), tokens as usize));
        ALLOCATIONS.load(Ordering::Relaxed) - before
    };
    assert_eq!(
        (allocations(1, 1), allocations(2_000, 100)),
        (1, 1),
        "one buffer, however many tokens and runs"
    );

    let started = Instant::now();
    let mut last = 0.0;
    cloud.each(&request(200), 1, 0..10_000, |_, arrivals| last += arrivals[199].0);
    let simulated = started.elapsed();
    assert!(last.is_finite() && last > 0.0);
    let mut summary = Summary::new(cloud.origin(1));
    let started = Instant::now();
    cloud.each(&request(200), 1, 0..10_000, |_, arrivals| summary.record_arrivals(arrivals));
    let recorded = started.elapsed();
    assert_eq!(summary.inter_token.count(), 1_990_000);
    // Timing decides no test; the bar is 200 ms in a tab.
    println!("10,000 requests of 200 tokens: {simulated:?} simulated, {recorded:?} with four histograms");
}
