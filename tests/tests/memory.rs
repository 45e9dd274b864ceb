//! How much memory reading a model's header and checking a backend take, counted at the allocator: in a browser
//! the weights are on the GPU, and everything else has to fit a small part of them.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use engine::Tokenizer;
use engine::cpu::verify::{estimate, streamed};
use engine::cpu::{Processor, dispatch};
use engine::gguf::Gguf;
use engine::model::Plan;
use engine::tokenizer::{ChatTemplate, Specials};

/// Passes everything on to the system, and keeps count of what is live.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: both calls are the system's own; counting touches no memory of theirs. `realloc` is the trait's own: a new
// block beside the old one, the worst that an allocator may do.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: the caller keeps the trait's contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the trait's contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes live at most, for the default model; a fifth of its file is 19.7 MB, and in a browser that has to hold
/// what the GPU's side needs as well. Where addresses have 32 bits, strings and maps are a third smaller.
///
/// Measured 0.2 MB: the directory of tensors; no list of the header is held.
const HEADER: usize = 1_000_000;
/// Measured 9.9 MB while the library builds its maps, 6.8 MB after it.
const TOKENIZER: usize = 12_000_000;
const TOKENIZER_AFTER: usize = 8_000_000;
/// Measured 10.2 MB: the tokenizer, a layer, and 16 tokens' activations and logits.
const CHECK: usize = 12_000_000;
/// Measured 13.4 MB: the tokenizer, two layers and a slice of the head.
const ESTIMATE: usize = 15_000_000;

/// What a piece of work took, bytes over what was live before the first of them.
struct Use {
    peak: usize,
    after: usize,
}

fn measured<T>(base: usize, what: &str, work: impl FnOnce() -> T) -> (T, Use) {
    PEAK.store(LIVE.load(Relaxed), Relaxed);
    let result = work();
    let used = Use { peak: PEAK.load(Relaxed) - base, after: LIVE.load(Relaxed) - base };
    println!("{what}: {:.2} MB at most, {:.2} MB after it", used.peak as f64 / 1e6, used.after as f64 / 1e6);
    (result, used)
}

/// The only test of this file: what another one beside it takes would be counted with it.
#[test]
fn header_tokenizer_and_check_stay_small() {
    let base = LIVE.load(Relaxed);
    let file = File::open(tests::model()).unwrap();
    let (mut gguf, header) = measured(base, "header", || Gguf::open("model.gguf", file).unwrap());
    assert!((1..HEADER).contains(&header.peak));

    let (tokenizer, building) = measured(base, "tokenizer", || Tokenizer::from_gguf(&mut gguf).unwrap());
    assert!(building.peak < TOKENIZER && building.after < TOKENIZER_AFTER);
    let (_template, rest) = measured(base, "template and a text", || {
        let text = "The quick brown fox jumps over the lazy dog. ".repeat(20);
        let tokens = tokenizer.encode(&text, Specials::AsText).unwrap();
        (ChatTemplate::from_gguf(gguf.metadata(), &tokenizer).unwrap(), tokens)
    });
    assert!(rest.after < TOKENIZER_AFTER);

    let plan = Arc::new(Plan::of(&gguf, 64).unwrap());
    let tokens: Vec<u32> = (1000..1016).collect();
    let processor = Processor::alone(dispatch::detect());
    let ((), check) = measured(base, "check", || {
        streamed::forward(&mut gguf, &plan, &tokens, &processor, &mut |_, _| {}, &mut |_, _| {}).unwrap();
    });
    assert!(check.peak < CHECK);
    let (_, estimate) = measured(base, "estimate", || {
        let start = Instant::now();
        estimate(&mut gguf, &plan, &processor, &|| start.elapsed().as_secs_f64() * 1e3).unwrap()
    });
    assert!(estimate.peak < ESTIMATE && estimate.after == check.after);
}
