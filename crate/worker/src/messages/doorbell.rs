//! A doorbell that the page rings before each message, so that an answer need not stop with every token to look for one.
//!
//! The doorbell is a counter of wake-ups in shared memory; where the page may not share memory there is none, and every
//! token is followed by a task yield.

use std::cell::Cell;

use js_sys::{Atomics, Int32Array, SharedArrayBuffer};

use super::task_yield::yield_now;
use crate::js;

/// Wake-ups that the page counted, beside those whose message arrived.
pub(crate) struct Doorbell {
    /// One element, to which the page adds one before it posts a message.
    counter: Int32Array,
    arrived: Cell<i32>,
}

thread_local! {
    static DOORBELL: Option<Doorbell> =
        isolated().then(|| Doorbell::new(Int32Array::new(&SharedArrayBuffer::new(4))));
}

impl Doorbell {
    /// With a counter of one element, 0.
    pub(crate) fn new(counter: Int32Array) -> Self {
        Self { counter, arrived: Cell::new(0) }
    }

    /// Counts a message that arrived, unless the page did not ring for it: a later one would be taken for arrived.
    pub(crate) fn message_arrived(&self) {
        if self.message_waits() {
            self.arrived.set(self.arrived.get().wrapping_add(1));
        }
    }

    /// Whether the page rang for a message that has not arrived.
    pub(crate) fn message_waits(&self) -> bool {
        Atomics::load(&self.counter, 0).ok() != Some(self.arrived.get())
    }
}

fn isolated() -> bool {
    js::get(&js::scope(), "crossOriginIsolated").is_truthy()
}

/// The wake-up counter, for the page to add one to its only element.
pub(super) fn counter() -> Option<Int32Array> {
    DOORBELL.with(|doorbell| doorbell.as_ref().map(|doorbell| doorbell.counter.clone()))
}

/// Notes that a message of the page arrived.
pub(crate) fn message_arrived() {
    DOORBELL.with(|doorbell| doorbell.iter().for_each(Doorbell::message_arrived));
}

/// Yields if the page rang for a message that has not arrived; without a doorbell one always may wait.
pub(crate) async fn yield_to_messages() {
    if DOORBELL.with(|doorbell| doorbell.as_ref().is_none_or(Doorbell::message_waits)) {
        yield_now().await;
    }
}
