//! Giving the event loop a turn, so that an `Abort` can arrive between two tokens or chunks.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AddEventListenerOptions, MessageChannel};

use crate::js;

thread_local! {
    /// `scheduler` and its `postTask`: a task of this thread's own, without a port and an event for it.
    static SCHEDULER: Option<(JsValue, Function)> = scheduler();
    static CHANNEL: Option<MessageChannel> = MessageChannel::new().ok().inspect(|channel| {
        channel.port1().start();
    });
}

/// Resolves in a later task, so that messages that wait are handled in between.
///
/// A message posted to ourselves queues beside those of the page, without the 4 ms that nested timers cost.
pub(crate) async fn yield_now() {
    let promise = SCHEDULER
        .with(|scheduler| scheduler.as_ref().map(task))
        .or_else(|| CHANNEL.with(|channel| channel.as_ref().map(queued)));
    if let Some(promise) = promise {
        // The promise has no way to fail; if it did, going on is right.
        promise.await.ok();
    }
}

/// `None` in a browser without it.
fn scheduler() -> Option<(JsValue, Function)> {
    let scheduler = Reflect::get(&js::scope(), &"scheduler".into()).ok()?;
    let post = Reflect::get(&scheduler, &"postTask".into()).ok()?.dyn_into().ok()?;
    Some((scheduler, post))
}

/// Resolves in a task of the priority that messages have.
fn task((scheduler, post): &(JsValue, Function)) -> Promise {
    Promise::new(&mut |resolve, _reject| {
        if post.call1(scheduler, &resolve).is_err() {
            resolve.call0(&JsValue::NULL).ok();
        }
    })
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
