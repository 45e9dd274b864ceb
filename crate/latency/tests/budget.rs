//! What a simulation may allocate: one buffer, whatever it simulates. Its random numbers are counted beside it
//! (`cloud/simulation.rs`); time decides no test.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use latency::cloud::{Cloud, Connection, Request};
use latency::presets;
use latency::stats::Summary;

struct Counting;

thread_local! {
    /// Of this thread alone: the test's harness allocates on another one whenever it likes.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches no memory but its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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

#[test]
fn requests_and_their_tokens_share_one_buffer_and_recording_them_needs_none() {
    let preset = presets::all().remove(0);
    let cloud = Cloud::new(&preset).unwrap();
    let mut summary = Summary::new(cloud.origin(1));
    for (tokens, runs) in [(1, 1), (1, 1_000), (2_000, 100), (200, 10_000)] {
        let before = ALLOCATIONS.get();
        cloud.each(&request(tokens), 1, 0..runs, |_, arrivals| summary.record_arrivals(arrivals));
        let allocated = ALLOCATIONS.get() - before;
        assert_eq!(allocated, 1, "{runs} requests of {tokens} tokens");
    }
    assert_eq!(summary.ttft.count(), 11_101);
    assert_eq!(summary.inter_token.count(), 1_999 * 100 + 199 * 10_000);
}
