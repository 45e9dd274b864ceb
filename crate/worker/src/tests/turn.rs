use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::MessageChannel;

use crate::clock::{Pace, now_ms};
use crate::turn::yield_now;

#[wasm_bindgen_test]
async fn a_message_that_waits_is_let_in() {
    let heard = Rc::new(Cell::new(false));
    let channel = MessageChannel::new().unwrap();
    let listener = {
        let heard = Rc::clone(&heard);
        Closure::<dyn FnMut(JsValue)>::new(move |_| heard.set(true))
    };
    channel.port1().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    channel.port2().post_message(&JsValue::NULL).unwrap();
    // Browsers promise no order between two channels, so one yield may not be enough; a few always are.
    for _ in 0..100 {
        yield_now().await;
    }
    assert!(heard.get());
}

#[wasm_bindgen_test]
async fn two_yields_at_once_both_end() {
    let other = Rc::new(Cell::new(false));
    let ended = Rc::clone(&other);
    wasm_bindgen_futures::spawn_local(async move {
        yield_now().await;
        ended.set(true);
    });
    yield_now().await;
    yield_now().await;
    assert!(other.get());
}

#[wasm_bindgen_test]
fn the_clock_is_the_epochs() {
    let skew = (now_ms() - js_sys::Date::now()).abs();
    assert!(skew < 60_000.0, "performance and Date differ by {skew} ms");
}

#[wasm_bindgen_test]
fn progress_is_paced() {
    let mut pace = Pace::default();
    let due: Vec<_> = [1e12, 1e12 + 50.0, 1e12 + 99.0, 1e12 + 100.0].map(|at| pace.due(at)).into();
    assert_eq!(due, [true, false, false, true]);
}
