use std::cell::Cell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessageChannel;

use crate::messages::{queued, scheduled, yield_now};

/// Whether a message that was posted before is handled within a hundred yields. Browsers promise no order between two
/// channels, so one may not be enough; a microtask lets none in, however often.
async fn lets_a_message_in(task: fn() -> Promise) -> bool {
    let handled = Rc::new(Cell::new(false));
    let channel = MessageChannel::new().unwrap();
    let listener = {
        let handled = Rc::clone(&handled);
        Closure::<dyn FnMut(JsValue)>::new(move |_| handled.set(true))
    };
    channel.port1().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    channel.port2().post_message(&JsValue::NULL).unwrap();
    for _ in 0..100 {
        task().await.unwrap();
    }
    // A message that is still on its way must not find its listener gone.
    channel.port1().close();
    handled.get()
}

#[wasm_bindgen_test]
async fn a_message_that_waits_is_let_in_with_and_without_a_scheduler() {
    assert!(lets_a_message_in(|| scheduled().expect("this browser has a scheduler")).await);
    assert!(lets_a_message_in(|| queued().unwrap()).await);
    assert!(!lets_a_message_in(|| Promise::resolve(&JsValue::NULL)).await, "a microtask would pass as well");
}

#[wasm_bindgen_test]
async fn two_yields_at_once_both_end() {
    let other = Rc::new(Cell::new(false));
    let ended = Rc::clone(&other);
    wasm_bindgen_futures::spawn_local(async move {
        yield_now().await;
        queued().unwrap().await.unwrap();
        ended.set(true);
    });
    for _ in 0..2 {
        yield_now().await;
        queued().unwrap().await.unwrap();
    }
    assert!(other.get());
}
