//! Task yield: a later task goes on, so that an `Abort` can arrive between two tokens or chunks.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AddEventListenerOptions, MessageChannel};

use crate::js;

thread_local! {
    /// `scheduler` and its `postTask`.
    static SCHEDULER: Option<(JsValue, Function)> = scheduler();
    static CHANNEL: Option<MessageChannel> = MessageChannel::new().ok().inspect(|channel| {
        channel.port1().start();
    });
}

/// Resolves in a later task, so that messages that wait are handled in between; without the 4 ms that nested timers
/// cost.
pub(crate) async fn yield_now() {
    if let Some(promise) = scheduled().or_else(queued) {
        // The promise has no way to fail; if it did, going on is right.
        promise.await.ok();
    }
}

/// Resolves in a task of the priority that messages have, without a port and an event for it; `None` in a browser
/// without `scheduler.postTask`.
pub(crate) fn scheduled() -> Option<Promise> {
    let task = |(scheduler, post): &(JsValue, Function)| {
        Promise::new(&mut |resolve, _reject| {
            if post.call1(scheduler, &resolve).is_err() {
                resolve.call0(&JsValue::NULL).ok();
            }
        })
    };
    SCHEDULER.with(|scheduler| scheduler.as_ref().map(task))
}

fn scheduler() -> Option<(JsValue, Function)> {
    let scheduler = Reflect::get(&js::scope(), &"scheduler".into()).ok()?;
    let post = Reflect::get(&scheduler, &"postTask".into()).ok()?.dyn_into().ok()?;
    Some((scheduler, post))
}

/// Resolves with a message posted to ourselves, which queues beside those of the page.
pub(crate) fn queued() -> Option<Promise> {
    let message = |channel: &MessageChannel| {
        let once = AddEventListenerOptions::new();
        once.set_once(true);
        Promise::new(&mut |resolve, _reject| {
            let listening = channel
                .port1()
                .add_event_listener_with_callback_and_add_event_listener_options("message", &resolve, &once)
                .and_then(|()| channel.port2().post_message(&JsValue::NULL));
            if listening.is_err() {
                // Without a channel the caller would wait for ever: go on at once instead.
                resolve.call0(&JsValue::NULL).ok();
            }
        })
    };
    CHANNEL.with(|channel| channel.as_ref().map(message))
}
