//! A bell that the page rings before each message, so that an answer need not stop with every token to look for one.
//!
//! The bell is a counter in shared memory; where the page may not share memory, there is none, and every token is followed by a turn.

use std::cell::Cell;

use js_sys::{Atomics, Int32Array, SharedArrayBuffer};

use crate::js;
use crate::turn::yield_now;

thread_local! {
    static BELL: Option<Int32Array> = isolated().then(|| Int32Array::new(&SharedArrayBuffer::new(4)));
    /// Rings whose message came in.
    static HEARD: Cell<i32> = const { Cell::new(0) };
}

fn isolated() -> bool {
    js::get(&js::scope(), "crossOriginIsolated").is_truthy()
}

/// What the page rings, by adding one to its only element.
pub(crate) fn bell() -> Option<Int32Array> {
    BELL.with(Clone::clone)
}

/// A message came in. One that nobody rang for is not counted: a later one would be taken for heard.
pub(crate) fn heard() {
    if !silent() {
        HEARD.set(HEARD.get().wrapping_add(1));
    }
}

/// Lets messages in, if the bell says that one waits; without a bell one always may.
pub(crate) async fn let_in() {
    if !silent() {
        yield_now().await;
    }
}

/// Whether the message of every ring came in.
fn silent() -> bool {
    let rung = |bell: &Int32Array| Atomics::load(bell, 0).ok();
    BELL.with(|bell| bell.as_ref().and_then(rung)) == Some(HEARD.get())
}
