//! Time on the clock that page and worker share, and the pace of progress messages.

use crate::js;

/// Now, milliseconds since the Unix epoch, monotonic within this worker.
///
/// `timeOrigin` differs between page and worker, their sum with `now()` does not (to about a millisecond).
pub(crate) fn now_ms() -> f64 {
    match js::scope().performance() {
        Some(performance) => performance.time_origin() + performance.now(),
        None => js_sys::Date::now(),
    }
}

/// Seconds since 1970 on the visitor's wall clock, time zone included.
pub(crate) fn local_seconds() -> i64 {
    let now = js_sys::Date::new_0();
    (now.get_time() / 1e3 - now.get_timezone_offset() * 60.0) as i64
}

/// Smallest step that the clock was seen to take, milliseconds.
pub(crate) fn tick_ms() -> f64 {
    const STEPS: u32 = 20;
    const LONGEST_MS: f64 = 50.0;
    let start = now_ms();
    let mut last = start;
    let mut smallest = f64::INFINITY;
    let mut steps = 0;
    while steps < STEPS && last - start < LONGEST_MS {
        let now = now_ms();
        if now > last {
            smallest = smallest.min(now - last);
            steps += 1;
            last = now;
        }
    }
    smallest
}

/// Lets something through ten times a second, so that progress never floods the page.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    last_ms: f64,
}

impl Pace {
    /// Milliseconds between two messages.
    const EVERY_MS: f64 = 100.0;

    /// Whether it is time again; the first call always says yes.
    pub(crate) fn due(&mut self, now_ms: f64) -> bool {
        let due = now_ms - self.last_ms >= Self::EVERY_MS;
        if due {
            self.last_ms = now_ms;
        }
        due
    }
}
