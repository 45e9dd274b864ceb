//! Giving the event loop a turn, so that an `Abort` can arrive between two tokens or chunks.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::{AddEventListenerOptions, MessageChannel};

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
