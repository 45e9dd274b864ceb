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
