//! How fast a load goes and how long it will still take.

use std::collections::VecDeque;

/// Samples older than this no longer count: long enough to be calm, short enough to notice a stall.
const WINDOW_MS: f64 = 3_000.0;
/// A rate over less time than this is noise and is not shown.
const LEAST_MS: f64 = 250.0;

/// Watches one stage of a load.
#[derive(Clone, Debug, Default)]
pub struct Rate {
    /// (time in ms, bytes done by then), oldest first.
    samples: VecDeque<(f64, f64)>,
}

impl Rate {
    /// Records that `done` bytes had arrived at `at_ms`. A step back (a new stage) starts over.
    pub fn record(&mut self, at_ms: f64, done: u64) {
        let done = done as f64;
        if self.samples.back().is_some_and(|&(at, before)| done < before || at_ms < at) {
            self.samples.clear();
        }
        self.samples.push_back((at_ms, done));
        // Two samples always stay, so that a slow trickle still has a rate.
        while self.samples.len() > 2 && self.samples.front().is_some_and(|s| at_ms - s.0 > WINDOW_MS) {
            self.samples.pop_front();
        }
    }

    /// Bytes per second over the window; `None` until there is enough to tell.
    pub fn bytes_per_second(&self) -> Option<f64> {
        let first = self.samples.front()?;
        let last = self.samples.back()?;
        let span = last.0 - first.0;
        (span >= LEAST_MS && last.1 > first.1).then(|| (last.1 - first.1) * 1e3 / span)
    }

    /// Seconds until `total` bytes are there, at the present rate.
    pub fn seconds_left(&self, total: u64) -> Option<f64> {
        let done = self.samples.back()?.1;
        self.bytes_per_second().map(|rate| (total as f64 - done).max(0.0) / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_download() {
        let mut rate = Rate::default();
        assert_eq!(rate.bytes_per_second(), None);
        for i in 0..=10 {
            rate.record(f64::from(i) * 100.0, u64::from(i as u32) * 4_000_000);
        }
        assert_eq!(rate.bytes_per_second(), Some(40_000_000.0));
        assert_eq!(rate.seconds_left(80_000_000), Some(1.0));
        assert_eq!(rate.seconds_left(1), Some(0.0));
    }

    #[test]
    fn only_the_last_seconds_count() {
        let mut rate = Rate::default();
        rate.record(0.0, 0);
        rate.record(1_000.0, 100_000_000);
        for i in 1..=50 {
            rate.record(1_000.0 + f64::from(i) * 100.0, 100_000_000 + i as u64 * 1_000);
        }
        assert_eq!(rate.bytes_per_second().map(f64::round), Some(10_000.0));
    }

    #[test]
    fn too_little_time_is_no_rate() {
        let mut rate = Rate::default();
        rate.record(0.0, 0);
        rate.record(10.0, 1_000_000);
        assert_eq!(rate.bytes_per_second(), None);
        assert_eq!(rate.seconds_left(2_000_000), None);
    }

    #[test]
    fn a_new_stage_starts_over() {
        let mut rate = Rate::default();
        rate.record(0.0, 0);
        rate.record(1_000.0, 98_000_000);
        rate.record(1_100.0, 0);
        assert_eq!(rate.bytes_per_second(), None);
    }

    #[test]
    fn a_stall_has_no_rate() {
        let mut rate = Rate::default();
        rate.record(0.0, 5);
        rate.record(9_000.0, 5);
        assert_eq!(rate.bytes_per_second(), None);
    }
}
