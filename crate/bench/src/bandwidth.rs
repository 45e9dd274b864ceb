//! How fast this machine reads memory from start to end, natively: the limit of decoding.

use std::hint::black_box;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Each thread's buffer: far larger than any cache.
pub(crate) const BYTES: usize = 256 << 20;

/// How long is read.
pub(crate) const TIME: Duration = Duration::from_millis(700);

/// Read bandwidth on some threads, GB/s.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Bandwidth {
    pub(crate) threads: u32,
    pub(crate) native: f64,
    /// By 16-byte loads in WebAssembly.
    pub(crate) tab: f64,
}

/// All threads read their own buffer at the same time; GB/s together.
pub(crate) fn native(threads: u32) -> f64 {
    let barrier = std::sync::Barrier::new(threads as usize);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| reads(&barrier))).collect();
        readers.into_iter().map(|reader| reader.join().unwrap_or(0.0)).sum()
    })
}

fn reads(barrier: &std::sync::Barrier) -> f64 {
    // Written once, so that every page is there.
    let buffer: Vec<u64> = (0..BYTES as u64 / 8).collect();
    barrier.wait();
    let begin = Instant::now();
    let mut passes = 0.0;
    while begin.elapsed() < TIME {
        black_box(sum(black_box(&buffer)));
        passes += 1.0;
    }
    passes * BYTES as f64 / begin.elapsed().as_secs_f64() / 1e9
}

/// In sixteen columns, which the compiler keeps in vector registers.
fn sum(buffer: &[u64]) -> u64 {
    let mut sums = [0_u64; 16];
    for row in buffer.as_chunks::<16>().0 {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum = sum.wrapping_add(*value);
        }
    }
    sums.iter().fold(0, |all, sum| all.wrapping_add(*sum))
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_read_is_summed_whole() {
        let numbers: Vec<u64> = (1..=64).collect();
        assert_eq!(super::sum(&numbers), 64 * 65 / 2);
    }
}
