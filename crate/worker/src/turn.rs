//! Giving the event loop a turn, so that an `Abort` can arrive between two tokens or chunks.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::{AddEventListenerOptions, MessageChannel};

use crate::clock::now_ms;

thread_local! {
    static CHANNEL: Option<MessageChannel> = MessageChannel::new().ok().inspect(|channel| {
        channel.port1().start();
    });
}

/// Resolves in a later task, so that messages that wait are handled in between.
///
/// A message posted to ourselves queues beside those of the page, without the 4 ms that nested timers cost.
pub(crate) async fn yield_now() {
    let promise = CHANNEL.with(|channel| channel.as_ref().map(queued));
    if let Some(promise) = promise {
        // The promise has no way to fail; if it did, going on is right.
        promise.await.ok();
    }
}

/// Turns between tokens, no more of them than an `Abort` needs: one costs as much as a twentieth of a token.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    last_ms: f64,
}

impl Turns {
    /// Longest that a message waits, beside the token under way, milliseconds. A frame: nobody sees it.
    const EVERY_MS: f64 = 16.0;

    /// [`yield_now`], if the last one is long enough ago.
    pub(crate) async fn take(&mut self) {
        if now_ms() - self.last_ms >= Self::EVERY_MS {
            yield_now().await;
            self.last_ms = now_ms();
        }
    }
}

fn queued(channel: &MessageChannel) -> Promise {
    let once = AddEventListenerOptions::new();
    once.set_once(true);
    Promise::new(&mut |resolve, _reject| {
        let (here, there) = (channel.port1(), channel.port2());
        let listening = here
            .add_event_listener_with_callback_and_add_event_listener_options("message", &resolve, &once)
            .and_then(|()| there.post_message(&JsValue::NULL));
        if listening.is_err() {
            // Without a channel the caller would wait for ever: go on at once instead.
            resolve.call0(&JsValue::NULL).ok();
        }
    })
}
